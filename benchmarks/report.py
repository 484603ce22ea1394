"""Turns the results into the table and the charts of docs/performance.md; what stands there in words is kept."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.charts import chart

BEGIN, END = "<!-- results: written by `python -m benchmarks report` -->", "<!-- end of results -->"

Result = dict[str, Any]


def write(results_dir: Path, docs: Path) -> None:
    from benchmarks.__main__ import FIGURES

    paths = [results_dir / f"{figure}.json" for figure in FIGURES]
    results = [json.loads(path.read_text()) for path in paths if path.exists()]
    page = docs / "performance.md"
    charts = docs / "performance"
    charts.mkdir(exist_ok=True)
    for result in results:
        (charts / f"{result['figure']}.svg").write_text(chart(result["title"], result["rows"]))
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n\n{_sections(results)}\n{END}{after}")


def sentence(row: dict[str, Any]) -> str:
    """One figure in words: for the terminal."""
    beside = f", {row['measured']:.2f}x {row['floor_name']} ({_number(row['floor'])})" if row["floor"] else ""
    return f"{row['name']}: {_number(row['value'])} {row['unit']}{beside}{_verdict(row)}"


def _verdict(row: dict[str, Any]) -> str:
    return "" if row["target"] is None else f"; target {_target(row)}: {'reached' if row['reached'] else 'NOT reached'}"


def _sections(results: Sequence[Result]) -> str:
    return "\n".join(_section(number, result) for number, result in enumerate(results, 1))


def _section(number: int, result: Result) -> str:
    lines = [
        f"### {number}. {result['title']}",
        "",
        f"![{result['title']}](performance/{result['figure']}.svg)",
        "",
        "| figure | Limner | beside | ratio | target | |",
        "|---|---|---|---|---|---|",
        *(_line(row) for row in result["rows"]),
        "",
        _circumstances(result),
        "",
    ]
    return "\n".join(lines)


def _circumstances(result: Result) -> str:
    machine, moment = result["machine"], result["measuredAt"][:16].replace("T", " ")
    return (
        f"Commit {result['commit']}, {moment} UTC, {machine['cores']} cores ({machine['processor']}), "
        f"Python {machine['python']}, load average of the machine {result['loadAverage']}."
    )


def _line(row: dict[str, Any]) -> str:
    has_floor = row["floor"] is not None
    beside = f"{row['floor_name']}: {_number(row['floor'])} {row['unit']}" if has_floor else ""
    ratio = f"{row['measured']:.2f}" if has_floor else ""
    target = "" if row["target"] is None else _target(row)
    mark = {True: "reached", False: "**missed**", None: ""}[row["reached"]]
    return f"| {row['name']} | {_number(row['value'])} {row['unit']} | {beside} | {ratio} | {target} | {mark} |"


def _target(row: dict[str, Any]) -> str:
    sign = "≤" if row["goal"] == "most" else "≥"
    unit = "x" if row["floor"] is not None else f" {row['unit']}"
    return f"{sign} {_number(row['target'])}{unit}"


def _number(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
