"""The agent recipes in docs/recipes, each as it stands there, with a scripted model in place of a hosted one."""

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.docs.examples import ADDRESS, examples
from tests.peers.chat import ChatPeer
from tests.recipes.environments import python_of
from tests.service import Service


@pytest.fixture
def model() -> Iterator[ChatPeer]:
    with ChatPeer() as peer:
        yield peer


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("recipe", ["langchain", "openai-agents", "pydantic-ai"])
async def test_an_agent_makes_a_picture_and_says_where_it_is(
    recipe: str, service: Service, model: ChatPeer, tmp_path: Path
) -> None:
    [program] = [each.text for each in examples("python") if each.page == f"docs/recipes/{recipe}.md"]
    program = program.replace(ADDRESS, service.url).replace("sk_…", service.key)
    environment = {
        "OPENAI_API_KEY": "nobody-checks-it",
        "OPENAI_BASE_URL": model.base_url,
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
        "HOME": str(tmp_path),
        "PATH": "/usr/bin:/bin",
    }
    python = await asyncio.to_thread(python_of, recipe)
    done = await asyncio.to_thread(
        subprocess.run, [python, "-c", program], env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    link = done.stdout.strip().removeprefix("The picture is at ")
    async with httpx2.AsyncClient() as http:
        assert (await http.get(link)).headers["content-type"] == "image/png"
    assert await service.transaction_types() == ["grant", "charge"]
