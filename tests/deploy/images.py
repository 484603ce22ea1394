"""What the Dockerfile says, read from the file itself, so that tests follow it."""

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Image:
    """The last stage, and what the stage before it runs and copies."""

    runs: list[str] = field(default_factory=list)
    copies: list[tuple[str, str]] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    user: str = ""
    ports: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    stages: int = 0


def dockerfile() -> Image:
    image = Image()
    text = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
    for line in filter(None, (each.strip() for each in text.splitlines())):
        word, _, rest = line.partition(" ")
        match word:
            case "FROM":
                image.stages += 1
            case "RUN" if image.stages == 1:
                image.runs.append(rest)
            case "COPY" if image.stages == 1:
                source, target = rest.split()
                image.copies.append((source, target))
            case "ENV":
                image.env |= dict(pair.split("=", 1) for pair in shlex.split(rest))
            case "USER":
                image.user = rest
            case "EXPOSE":
                image.ports = rest.split()
            case "ENTRYPOINT":
                image.entrypoint = json.loads(rest)
            case "CMD":
                image.command = json.loads(rest)
            case "HEALTHCHECK":
                image.health = json.loads(rest.partition("CMD")[2])
    return image
