"""The official suite's scenarios for authorization servers, in every revision that has them."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from tests.conformance.suite import PROGRAM
from tests.node_tools import Node
from tests.oauth.client import ALL_SCOPES, register, ticket_of
from tests.service import free_port, serving
from tests.web.browser import signed_in

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

REVISIONS = ("2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28")


@pytest.mark.parametrize(
    ("revision", "path"),
    [(each, "/api/mcp") for each in REVISIONS]
    + [(REVISIONS[-1], "/getimages/api/mcp"), (REVISIONS[-1], "/image-mcp/api/mcp")],
)
async def test_the_authorization_server_conforms(
    node: Node, tmp_path: Path, sqlite_url: str, revision: str, path: str
) -> None:
    port, folder = free_port(), tmp_path / "out"
    env = {"LIMNER_OAUTH_DOCUMENTS": "on"}  # as behind an https address: the suite wants it advertised
    async with serving(tmp_path, sqlite_url, env=env) as service, signed_in(service) as browser:
        client = await register(service, f"http://127.0.0.1:{port}/callback")
        options = {"--url": service.url, "--client-id": client.id, "--resource": f"{service.url}{path}"}
        options |= {"--port": str(port), "--output-dir": str(folder), "--spec-version": revision}
        arguments = [each for pair in options.items() for each in pair]
        async with node.running(PROGRAM, "authorization", *arguments) as process:
            assert process.stdout is not None
            printed = ""
            async for line in process.stdout:
                printed += line.decode()
                if line.startswith(service.url.encode()):
                    await _allow(browser, line.decode().strip())
            assert await process.wait() == 0, printed
    checks = _checks(folder)
    assert {check["id"] for check in checks} >= {"authorization-server-metadata", "authorization-code-grant"}, printed
    assert {check["status"] for check in checks} == {"SUCCESS"}, checks


async def _allow(browser: httpx2.AsyncClient, question: str) -> None:
    """The user says yes, and the browser goes where the suite listens."""
    page = await browser.get(question)
    assert "resource" in parse_qs(urlsplit(question).query)
    form = {"ticket": ticket_of(page), "decision": "allow", "scope": ALL_SCOPES.split()}
    answer = await browser.post("/oauth/authorize", data=form, follow_redirects=False)
    async with httpx2.AsyncClient() as elsewhere:
        assert (await elsewhere.get(answer.headers["location"])).status_code == 200


def _checks(folder: Path) -> list[dict[str, Any]]:
    return [check for found in folder.rglob("checks.json") for check in json.loads(found.read_text())]
