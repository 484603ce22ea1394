"""The official MCP conformance suite, both revisions: on Limner itself, and on a fixture behind the same guard."""

from pathlib import Path

import pytest
from tests.conformance.fixture_content import PROMPTS, RESOURCES
from tests.conformance.fixture_questions import ASKING_TOOLS
from tests.conformance.fixture_server import INPUT_TOOLS, TOOLS, Fixture
from tests.conformance.guarded import fixture_server
from tests.conformance.suite import run
from tests.node_tools import Node
from tests.service import Service

LEGACY, MODERN = "2025-11-25", "2026-07-28"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore::mcp.shared.exceptions.MCPDeprecationWarning"),
]

NEED_NO_FIXTURE = {
    LEGACY: {
        "server-initialize",
        "ping",
        "tools-list",
        "prompts-list",
        "resources-list",
        "server-sse-multiple-streams",
        "server-session-lifecycle",
        "dns-rebinding-protection",
    },
    MODERN: {
        "server-stateless",
        "tools-list",
        "prompts-list",
        "resources-list",
        "caching",
        "server-sse-multiple-streams",
        "sep-2164-resource-not-found",
        "dns-rebinding-protection",
        "http-header-validation",
    },
}

ONLY_LEGACY = {*ASKING_TOOLS, "test_tool_with_logging"}
ONLY_MODERN = {
    *INPUT_TOOLS,
    "test_logging_tool",
    "test_streaming_elicitation",
    "test_missing_capability",
    "test_x_mcp_header",
}
READ = {*RESOURCES} - {"test://watched-resource"} | {"test://template/123/data", "completion"}
ASKED = {prompt.name for prompt in PROMPTS}
REACHED = {
    LEGACY: {*TOOLS} - ONLY_MODERN
    | ASKED - {"test_input_required_result_prompt"}
    | READ
    | {"logging level", "subscribe test://watched-resource", "unsubscribe test://watched-resource"},
    MODERN: {*TOOLS} - ONLY_LEGACY | ASKED | READ,
}
"""What the suite has to have called: a scenario also passes where its tool is missing."""


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
async def test_limner_conforms_where_the_suite_needs_no_fixture(
    node: Node, service: Service, tmp_path: Path, revision: str
) -> None:
    report = await run(node, f"{service.url}/api/mcp", secret=service.key, revision=revision, folder=tmp_path / "out")
    assert report.failures(NEED_NO_FIXTURE[revision]) == []


@pytest.mark.parametrize("revision", [LEGACY, MODERN])
async def test_what_the_protocol_can_do_passes_our_guard(
    node: Node, service: Service, tmp_path: Path, revision: str
) -> None:
    fixture = Fixture()
    async with fixture_server(service, fixture, sessions=revision == LEGACY) as url:
        report = await run(node, url, secret=service.key, revision=revision, folder=tmp_path / "out")
    assert report.accepted, report.output
    assert fixture.reached == REACHED[revision]
