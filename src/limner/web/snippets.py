"""One request as an MCP call, as curl and as Python: each page that makes a picture shows how an agent would."""

from collections.abc import Mapping
from typing import Any

import orjson

NAMES = (("mcp", "MCP call"), ("curl", "curl"), ("python", "Python"))


def of(public_url: str, arguments: Mapping[str, Any], *, edits: bool = False) -> list[tuple[str, str]]:
    """(label, text) of each form."""
    tool, path = ("edit_image", "edit") if edits else ("generate_image", "generate")
    given = _edit(arguments) if edits else dict(arguments)
    data = orjson.dumps(given, option=orjson.OPT_INDENT_2).decode()
    texts = {
        "mcp": f"{tool} {data}",
        "curl": f"curl {public_url}/api/v1/images/{path} \\\n"
        f'  -H "Authorization: Bearer $LIMNER_KEY" -H "Content-Type: application/json" \\\n'
        f"  -d {_quoted(data)}",
        "python": "import os, httpx\n\n"
        f'answer = httpx.post("{public_url}/api/v1/images/{path}", timeout=800,\n'
        '    headers={"Authorization": f"Bearer {os.environ[\'LIMNER_KEY\']}"},\n'
        f"    json={_python(given)})\n"
        'print(answer.json()["image"]["imageUrl"])',
    }
    return [(label, texts[name]) for name, label in NAMES]


def _edit(arguments: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in arguments.items() if name not in ("prompt", "images")}
    return {"instruction": arguments["prompt"], "images": arguments.get("images", ["IMAGE_ID"]), **rest}


def _quoted(text: str) -> str:
    """Safe between single quotes in a shell."""
    return "'" + text.replace("'", "'\\''") + "'"


def _python(value: Mapping[str, Any]) -> str:
    lines = [f"        {name!r}: {each!r}," for name, each in value.items()]
    return "{\n" + "\n".join(lines) + "\n    }"
