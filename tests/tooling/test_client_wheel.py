"""limner-client: the client alone, in an environment that has nothing of the server."""

import asyncio
import re
import sys
import tomllib
from pathlib import Path

import pytest
from tests.service import Service
from tests.tooling.test_wheel import ROOT, run

import limner

PROGRAM = """
import asyncio, importlib.util, sys
from limner.client import AsyncLimner, Limner
url, key, folder = sys.argv[1:]
assert not any(importlib.util.find_spec(name) for name in ("starlette", "sqlalchemy", "mcp", "pydantic", "PIL"))
with Limner(url, key) as limner:
    limner.generate("a red boat", model_id="limner:sketch", idempotency_key="boat").save(f"{folder}/one.png")
async def main():
    async with AsyncLimner(url, key) as limner:
        again = await limner.generate("a red boat", model_id="limner:sketch", idempotency_key="boat")
        assert again.replayed
        again.save(f"{folder}/two.png")
        print((await limner.account()).credit_balance)
asyncio.run(main())
"""


def test_it_says_what_the_server_says_of_itself() -> None:
    project = tomllib.loads((ROOT / "clients/python/pyproject.toml").read_text())["project"]
    server = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert (project["version"], project["requires-python"]) == (limner.__version__, server["requires-python"])
    assert set(project["dependencies"]) == {each for each in server["dependencies"] if each.startswith("httpx2")}


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_fresh_environment_makes_a_picture_with_it(service: Service, tmp_path: Path) -> None:
    def install() -> str:
        run(sys.executable, "-m", "uv", "build", "--quiet", "--wheel", "--out-dir", tmp_path, ROOT / "clients/python")
        run(sys.executable, "-m", "venv", tmp_path / "fresh")
        run(tmp_path / "fresh/bin/pip", "install", "-qq", next(tmp_path.glob("*.whl")))
        return run(tmp_path / "fresh/bin/pip", "list", "--format", "freeze")

    installed = re.findall(r"^[\w.-]+", await asyncio.to_thread(install), re.MULTILINE)
    python, arguments = tmp_path / "fresh/bin/python", (service.url, service.key, str(tmp_path))
    assert await asyncio.to_thread(run, python, "-c", PROGRAM, *arguments) == "99"
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert len(installed) < 15
    assert "limner-client" in {name.replace("_", "-") for name in installed}
