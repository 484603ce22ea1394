"""The three lock files: complete, pinned by hash, small, and free of any address."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNTIME, DEPLOYED, DEVELOPMENT = "requirements.lock", "deploy/requirements.lock", "requirements-dev.lock"
EXTRAS = PROJECT["project"]["optional-dependencies"]
every_lock = pytest.mark.parametrize("lock_name", [RUNTIME, DEPLOYED, DEVELOPMENT, "requirements-bench.lock"])


def pins(lock_name: str) -> dict[str, Version]:
    found = re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", (ROOT / lock_name).read_text(), re.MULTILINE)
    return {name: Version(version) for name, version in found}


@every_lock
def test_every_line_of_a_lock_is_a_pin_or_its_hash(lock_name: str) -> None:
    pin, digest = r"[a-z0-9._-]+==[^\s;]+( ; .+)? \\", r"    --hash=sha256:[0-9a-f]{64}( \\)?"
    lines = (ROOT / lock_name).read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(f"{pin}|{digest}", line)] == []


def test_running_limner_takes_at_most_sixty_packages() -> None:
    assert len(pins(RUNTIME)) <= 60


def test_each_lock_holds_everything_the_smaller_one_does() -> None:
    """What is tested is what is deployed."""
    assert pins(RUNTIME).items() <= pins(DEPLOYED).items() <= pins(DEVELOPMENT).items()


@pytest.mark.parametrize(
    ("requirements", "lock_name"),
    [
        (PROJECT["project"]["dependencies"], RUNTIME),
        ([*EXTRAS["otel"], *EXTRAS["sentry"]], DEPLOYED),
        (PROJECT["dependency-groups"]["dev"], DEVELOPMENT),
    ],
    ids=["runtime", "deployed", "development"],
)
def test_the_locks_agree_with_pyproject(requirements: list[str], lock_name: str) -> None:
    locked = pins(lock_name)
    wanted = [Requirement(line) for line in requirements]
    assert [str(r) for r in wanted if locked[canonicalize_name(r.name)] not in r.specifier] == []
