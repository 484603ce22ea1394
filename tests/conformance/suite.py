"""Runs the official MCP conformance suite against a server and reads what it found."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.proxy import adding_key
from tests.node_tools import MODULES, Node

PROGRAM = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"


@dataclass(frozen=True, slots=True)
class Report:
    """The checks of every scenario that was run; `accepted` is the suite's own verdict on what the revision requires."""

    accepted: bool
    output: str
    checks: Mapping[str, list[dict[str, Any]]]

    def failures(self, scenarios: Iterable[str] | None = None) -> list[str]:
        """One line per failed check, and per scenario that was not run at all.

        A check is left out where the suite says that the server lacks the tool it needs (`untestable`).
        """
        wanted = self.checks if scenarios is None else scenarios
        missing = [f"{name}: not run" for name in wanted if not self.checks.get(name)]
        failed = [
            f"{name}: {check['id']}: {check.get('errorMessage')}"
            for name in wanted
            for check in self.checks.get(name, [])
            if check["status"] == "FAILURE" and not (check.get("details") or {}).get("untestable")
        ]
        return missing + failed


async def run(node: Node, url: str, *, secret: str, revision: str, folder: Path) -> Report:
    """Every scenario of a revision, through a proxy that adds the key: the suite has no option for headers."""
    origin, path = url[: url.index("/", 8)], url[url.index("/", 8) :]
    async with adding_key(origin, secret) as proxied:
        arguments = ["server", "--url", proxied + path, "-o", str(folder), "--requirements", revision]
        code, output = await node.run(PROGRAM, *arguments)
    return Report(code == 0, output, {name: _checks(folder, name) for name in _scenarios(folder)})


def _scenarios(folder: Path) -> set[str]:
    """Each scenario has a folder `server-NAME-TIME`, where the time begins `2026-11-21T`."""
    return {found.name.removeprefix("server-").rpartition("T")[0][:-11] for found in folder.iterdir()}


def _checks(folder: Path, scenario: str) -> list[dict[str, Any]]:
    (found,) = folder.glob(f"server-{scenario}-[0-9][0-9][0-9][0-9]-*/checks.json")
    checks: list[dict[str, Any]] = json.loads(found.read_text())
    return checks
