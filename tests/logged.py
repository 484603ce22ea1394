"""A server in a process of its own, whose log is set up as `limner serve` does it: what it logs and reports is real."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.service import serving
from tests.subprocesses import run_python

from limner import logs

CANARY = "a canary called Zephyrine"


@dataclass(frozen=True, slots=True)
class Logged:
    """What a caller got for each prompt, the key that was used, and what the server wrote to its log."""

    answers: list[dict[str, Any]]
    key: str
    lines: list[dict[str, Any]]
    text: str

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["event"] == event]


def logged(folder: Path, url: str, prompts: Mapping[str, str], **env: str) -> Logged:
    """Asks for each prompt over REST; one with a value meets a bug that says it."""
    told = {"folder": str(folder), "url": url, "prompts": dict(prompts), "env": env}
    done = run_python("import sys; from tests.logged import main; main(sys.argv[1])", json.dumps(told))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    return Logged(said["answers"], said["key"], lines, done.stderr)


def main(told: str) -> None:
    logs.set_up("debug", "json")
    print(json.dumps(asyncio.run(_serve(**json.loads(told)))))
    sys.stdout.flush()


async def _serve(folder: str, url: str, prompts: dict[str, str], env: dict[str, str]) -> dict[str, Any]:
    async with serving(Path(folder), url, env=env) as service:
        answers: list[dict[str, Any]] = []
        for prompt, bug in prompts.items():
            if bug:
                service.stage.errors[prompt] = RuntimeError(f"{bug} {service.key}")
            answer = await service.generate(prompt=prompt)
            answers.append({**answer.json(), "requestId": answer.headers["x-request-id"]})
            if image := answers[-1].get("image"):
                await service.http.get(image["imageUrl"])
        return {"answers": answers, "key": service.key}
