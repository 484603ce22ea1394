"""Every command and program in the documentation works as it stands there."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from PIL import Image
from tests.cli.terminal import Terminal
from tests.docs.examples import Example, Reader, examples

NOT_HERE = {
    "./limner quickstart": "tests/tooling/test_launcher.py runs it from a clone",
    "./check": "it is what runs this test",
    "git pull": "there is nothing to pull from",
    "pip install": "tests/tooling/test_wheel.py installs the package; the frameworks have locks of their own",
    "claude mcp": "needs Claude Code; tests/cli/test_connect.py has the same configuration",
    "gemini mcp": "needs Gemini CLI; as above",
    "copilot mcp": "needs Copilot CLI; as above",
    "qwen mcp": "needs Qwen Code; as above",
    "python3 -m venv /opt/limner": "tests/tooling/test_wheel.py installs the package into a fresh environment",
    "systemctl": "tests/deploy/test_machines.py runs what the units start",
    "cp deploy/compose.env.example": "tests/deploy/test_machines.py runs what compose.yaml starts",
    "docker build": "tests/deploy/test_image.py follows the Dockerfile outside a container",
    "kubectl": "tests/deploy/test_chart.py renders the chart",
    "python tools/draft_migration.py": "tests/db/test_migrate.py holds its outcome against the tables",
    "limner serve --workers": "needs PostgreSQL; tests/cli has it with workers of both kinds",
    "sd-server": "needs stable-diffusion.cpp and gigabytes of weights",
    "curl --silent --fail-with-body http://127.0.0.1:8000/api/v1/webhooks": "the receiver has to be on the internet",
    "curl --fail-with-body -T": "the link is another for each upload; tests/rest/test_uploads.py follows one",
    "LIMNER_COMFYUI_URL=": "needs a workflow; tests/providers/test_comfyui.py has one",
    "LIMNER_DIFFUSERS_DIR=": "needs torch; tests/providers/test_diffusers.py has it",
}
"""How the examples begin that cannot be run here, and why."""

ELSEWHERE = {
    "STYLE.md": "shows shapes, not programs",
    "docs/architecture.md": "shows a shape, not a program",
    "docs/recipes/langchain.md": "tests/recipes runs it",
    "docs/recipes/pydantic-ai.md": "tests/recipes runs it",
    "docs/recipes/openai-agents.md": "tests/recipes runs it",
    "docs/recipes/webhooks.md": "serves until it is killed; tests/recipes calls it",
}
"""Pages whose Python programs are run by other tests, or by none."""

EVERY = list(examples("sh", "python"))


def is_left_out(example: Example) -> bool:
    if example.language == "python":
        return example.page in ELSEWHERE
    return example.text.startswith(tuple(NOT_HERE))


RUN = [each for each in EVERY if not is_left_out(each)]
PAGES = {page: list(of_page) for page, of_page in groupby(RUN, lambda each: each.page)}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A person with a server on their machine, as `quickstart` leaves it."""
    terminal = Terminal(tmp_path_factory.mktemp("reader"))
    terminal.env["LIMNER_RATE_LIMIT"] = "0"
    with terminal.server() as server:
        terminal.ok("accounts", "create", "owner@localhost", "--credits", "1000")
        key = terminal.ok("keys", "create", "--account", "owner@localhost").strip()
        yield Reader(terminal, server.url, key)


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_work_one_after_the_other(page: str, reader: Reader, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for example in PAGES[page]:
        if example.serves:
            reader.follow_until_ready(example, tmp_path)
        else:
            reader.follow(example, tmp_path)
    for picture in tmp_path.glob("*.png"):
        with Image.open(picture) as opened:
            opened.load()


def test_what_is_not_run_is_named_with_its_reason_and_nothing_else_is() -> None:
    shell = [each.text for each in EVERY if each.language == "sh"]
    unused = [start for start in NOT_HERE if not any(text.startswith(start) for text in shell)]
    pages = {each.page for each in EVERY if each.language == "python"}
    assert (unused, set(ELSEWHERE) - pages) == ([], set())
