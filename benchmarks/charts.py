"""Bars as SVG: how far each figure is from what was aimed at, the target being one line for all of them."""

from collections.abc import Sequence
from html import escape
from typing import Any

WIDTH, BAR, GAP, TOP, LABEL = 760, 22, 14, 46, 330
TARGET_AT = 0.6
"""Where the target's line stands, as a share of the bars' width; a bar that would go beyond the edge is cut."""

STYLE = """<style>text{font:13px system-ui,sans-serif;fill:#334155}.soft{fill:#94a3b8}
@media(prefers-color-scheme:dark){text{fill:#e2e8f0}}</style>"""
SOFT, GOOD, BAD = "#94a3b8", "#0f766e", "#b45309"


def chart(title: str, rows: Sequence[dict[str, Any]]) -> str:
    aimed = [row for row in rows if row["target"] is not None]
    height = TOP + len(aimed) * (BAR + GAP) + 10
    line = LABEL + (WIDTH - LABEL - 60) * TARGET_AT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">',
        STYLE,
        f'<text x="0" y="18" font-weight="600">{escape(title)}</text>',
        f'<text x="{line:.0f}" y="{TOP - 10}" text-anchor="middle" class="soft">target</text>',
        *(_bar(row, TOP + index * (BAR + GAP), line) for index, row in enumerate(aimed)),
        f'<line x1="{line:.0f}" x2="{line:.0f}" y1="{TOP - 4}" y2="{height}" stroke="{SOFT}" stroke-dasharray="4 3"/>',
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _bar(row: dict[str, Any], top: int, line: float) -> str:
    width = min((line - LABEL) * _share(row), WIDTH - LABEL - 60)
    colour = GOOD if row["reached"] else BAD
    value = f"{row['measured']:.2f}x" if row["floor"] is not None else f"{row['value']:.3g} {row['unit']}"
    name = f"{row['name']} / {row['floor_name']}" if row["floor"] is not None else row["name"]
    middle = top + BAR * 0.7
    return (
        f'<text x="{LABEL - 8}" y="{middle:.0f}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{LABEL}" y="{top}" width="{max(width, 1):.0f}" height="{BAR}" rx="3" fill="{colour}"/>'
        f'<text x="{LABEL + width + 6:.0f}" y="{middle:.0f}">{escape(value)}</text>'
    )


def _share(row: dict[str, Any]) -> float:
    """1 at the target, less where it is kept."""
    if row["target"] == 0:
        return 2.0 if row["measured"] > 0 else 0.0
    share = row["measured"] / row["target"]
    return share if row["goal"] == "most" else 1 / max(share, 0.01)
