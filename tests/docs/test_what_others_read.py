"""What registries and agents read of the project says what the service does: server.json and the skill."""

import json
import re
from pathlib import Path

from tests.docs.test_pages import AskedFor

from limner import __version__
from limner.config import Config
from limner.errors import ServiceError
from limner.mcp_clients import CLIENTS, Endpoint
from limner.mcp_server.editions.native import INSTRUCTIONS
from limner.schemas import CreateUpload, Edit, Generate, GetImage

ROOT = Path(__file__).parents[2]
SKILL = (ROOT / "skills" / "limner" / "SKILL.md").read_text()


def test_the_registry_entry_is_of_this_version_and_names_settings_that_exist() -> None:
    entry = json.loads((ROOT / "server.json").read_text())
    [package] = entry["packages"]
    assert {entry["version"], package["version"]} == {__version__}
    assert len(entry["description"]) <= 100
    assert (
        f"mcp-name: {entry['name']}" in (ROOT / "README.md").read_text()
    )  # how the registry knows the package is ours
    asked = AskedFor()
    Config.from_env(asked)
    assert {variable["name"] for variable in package["environmentVariables"]} <= asked.names
    arguments = {argument.get("name") for argument in package["packageArguments"]}
    assert set(re.findall(r"{(.+?)}", package["transport"]["url"])) <= arguments  # the registry fills it in from these


def test_the_skill_names_tools_and_arguments_that_exist() -> None:
    tools = {"generate_image", "edit_image", "get_image", "list_models", "get_account", "create_upload"}
    shapes = (Generate, Edit, GetImage, CreateUpload)
    arguments = {str(field.alias) for shape in shapes for field in shape.model_fields.values()}
    codes = {kind.code for kind in ServiceError.__subclasses__()}
    words = set(re.findall(r"`([a-z]\w+)(?:: [^`]+)?`", SKILL))
    assert words <= tools | arguments | codes | {"imageUrl", "id", "status", "limner"}
    assert tools <= words | set(re.findall(r"\w+", INSTRUCTIONS))


def test_the_skill_begins_as_agents_expect() -> None:
    head = SKILL.split("---")[1]
    fields = dict(line.split(": ", 1) for line in head.strip().splitlines())
    assert fields["name"] == "limner"
    assert len(fields["description"]) <= 1024


def test_the_readme_installs_in_one_click_what_can_be() -> None:
    readme, here = (ROOT / "README.md").read_text(), Endpoint("http://127.0.0.1:8000/api/mcp")
    links = [client.web_link(here) for client in CLIENTS if client.web_link]
    assert len(links) == 3
    assert [link for link in links if f"({link})" not in readme] == []
