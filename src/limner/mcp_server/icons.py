"""Small line drawings for servers and tools, as data: an icon must not need a request of its own."""

from collections.abc import Mapping
from urllib.parse import quote

import mcp_types

_SHAPES: Mapping[str, str] = {
    "limner": "M2 13h12M3 11V3h10v8zM5 9l2-3 2 2 1-1 2 2z",
    "generate": "M2 3h12v10H2zM4 11l3-4 2 2 1-1 2 3z",
    "edit": "M3 13l1-4 7-7 3 3-7 7z",
    "see": "M1 8q7-9 14 0-7 9-14 0zM8 6v4",
    "list": "M2 4h12M2 8h12M2 12h12",
    "models": "M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z",
    "account": "M8 2v5M3 14q5-7 10 0z",
    "usage": "M2 14V2M2 14h12M5 11V8M8 11V5M11 11V7",
    "upload": "M8 11V3M5 6l3-3 3 3M2 14h12",
}


def icon(name: str) -> mcp_types.Icon:
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>"
        f"<path fill='none' stroke='#888' d='{_SHAPES[name]}'/></svg>"
    )
    return mcp_types.Icon(src=f"data:image/svg+xml,{quote(drawing, safe='/:=')}", mime_type="image/svg+xml")
