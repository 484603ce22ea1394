"""The documentation says what the code does: error codes, settings, links between pages."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from pathlib import Path

import pytest
import yaml
from tests.service import Service

from limner.catalog.entries import load
from limner.catalog.models import Model
from limner.cli import COMMANDS
from limner.config import Config
from limner.errors import ServiceError
from tools import commands_page

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
every_page = pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
CAN_BE_READ = {
    "json": json.loads,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
    "ini": lambda text: ConfigParser().read_string(f"[settings]\n{text}"),
}


def table(page: str, first_column: str) -> list[list[str]]:
    """The rows of the table whose first heading is `first_column`, each as its cells without backquotes."""
    _, _, rest = (ROOT / page).read_text().partition(f"\n| {first_column} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines]


def test_the_error_table_is_the_one_the_service_answers_with() -> None:
    documented = {(code, status, retryable) for code, status, retryable, _ in table("docs/rest.md", "code")}
    raised = {
        (kind.code, str(kind.status), "yes" if kind.retryable else "no") for kind in ServiceError.__subclasses__()
    }
    assert documented == raised


def test_the_page_on_errors_has_a_part_for_each_code() -> None:
    explained = re.findall(r"^### `(\w+)`$", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted({kind.code for kind in ServiceError.__subclasses__()})


async def test_every_route_of_the_rest_page_is_served(service: Service) -> None:
    routes = re.findall(r"`(GET|POST|DELETE|PUT) (/api/v1/[^`?]+)`", (ROOT / "docs/rest.md").read_text())
    async with service.client() as anybody:
        answers = {f"{method} {path}": (await anybody.request(method, path)).status_code for method, path in routes}
    assert answers == dict.fromkeys(answers, 401)
    assert len(answers) > 5


def test_every_command_on_a_page_exists() -> None:
    named = {command for page in PAGES for command in re.findall(r"`(?:\./)?limner ([a-z]+)", page.read_text())}
    assert named - set(COMMANDS) == set()


def test_the_page_on_the_command_line_is_what_the_commands_say_of_themselves() -> None:
    assert commands_page.PAGE.read_text() == commands_page.page(), "run python tools/commands_page.py"


class AskedFor(Mapping[str, str]):
    """An empty environment that remembers which variables were looked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_every_setting_that_is_read_has_its_line_and_no_other_has() -> None:
    environment = AskedFor()
    Config.from_env(environment)
    read = {name for name in environment.names if name.endswith("_FILE")}
    documented = set(
        re.findall(r"^\| `([A-Z0-9_]+)`", (ROOT / "docs/operate/configuration.md").read_text(), re.MULTILINE)
    )
    assert {f"{name}_FILE" for name in documented} == read


def test_the_catalogue_page_explains_every_key_and_its_example_loads(tmp_path: Path) -> None:
    page = (ROOT / "docs/providers.md").read_text()
    explained = {
        key.partition(".")[0]
        for first, *_ in table("docs/providers.md", "key")
        for key in re.findall(r"\w[\w.]*", first)
    }
    assert explained == {field.alias for field in Model.model_fields.values()}
    own = tmp_path / "catalog.toml"
    own.write_text(page.partition("```toml\n")[2].partition("```")[0])
    assert load(own)[-1].id == "compatible:z-image"


@every_page
def test_examples_can_be_pasted(page: Path) -> None:
    for language, example in re.findall(r"^```(\w+)\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
        CAN_BE_READ.get(language, str)(example)


@every_page
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    assert [target for target in linked(page) if not target.exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, ahead = set[Path](), {ROOT / "README.md"}
    while ahead:
        reached |= ahead
        ahead = {target for page in ahead for target in linked(page) if target.suffix == ".md"} - reached
    assert [page for page in PAGES if page not in reached] == [], "name the page in README.md"


def linked(page: Path) -> list[Path]:
    """The files a page links to."""
    return [(page.parent / target).resolve() for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())]
