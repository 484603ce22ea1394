"""The dashboard, the alert rules and the page on monitoring name figures that /metrics really has."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from limner import metrics

ROOT = Path(__file__).parents[2]
RULES = yaml.safe_load((ROOT / "deploy/prometheus/limner.rules.yaml").read_text())["groups"]
DASHBOARD = json.loads((ROOT / "deploy/grafana/limner.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule for group in RULES for rule in group["rules"]]
EXPRESSIONS = {
    **{f"alert {rule['alert']}": rule["expr"] for rule in ALERTS},
    **{
        f"panel {panel['title']} {target['refId']}": target["expr"].replace("$__rate_interval", "5m")
        for panel in PANELS
        for target in panel["targets"]
    },
}


def series() -> dict[str, set[str]]:
    """Every name that /metrics can show, with its labels."""
    found: dict[str, set[str]] = {"up": {"job", "instance"}}
    for collector in metrics.REGISTRY._collector_to_names:
        labels = set(collector._labelnames)
        for name in metrics.REGISTRY._collector_to_names[collector]:
            found[name] = labels | ({"le"} if name.endswith("_bucket") else set())
    return found


def selected(expression: Any) -> Iterator[promql.VectorSelector]:
    """The series an expression reads, however deep."""
    if isinstance(expression, promql.VectorSelector):
        yield expression
    for name in ("lhs", "rhs", "expr", "vector_selector", "vs"):
        if (inner := getattr(expression, name, None)) is not None:
            yield from selected(inner)
    for argument in getattr(expression, "args", None) or []:
        yield from selected(argument)


@pytest.mark.parametrize("where", EXPRESSIONS, ids=list(EXPRESSIONS))
def test_every_expression_reads_series_and_labels_that_exist(where: str) -> None:
    expression = EXPRESSIONS[where]
    known = series()
    read = list(selected(promql.parse(expression)))
    assert read
    for vector in read:
        assert vector.name in known
        matched = {matcher.name for matcher in vector.matchers.matchers}
        grouped = {label.strip() for labels in re.findall(r"by \(([^)]*)\)", expression) for label in labels.split(",")}
        assert matched | grouped <= known[vector.name] | {"le"}, vector.name


def test_no_figure_is_watched_by_nobody() -> None:
    watched = " ".join(EXPRESSIONS.values())
    unread = {
        collector._name
        for collector in metrics.REGISTRY._collector_to_names
        if not re.search(rf"\b{collector._name}", watched)
    }
    assert unread == set()


def test_every_alert_says_how_bad_it_is_and_has_its_place_in_troubleshooting() -> None:
    page = (ROOT / "docs/operate/troubleshooting.md").read_text()
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]
        assert f"`{rule['alert']}`" in page


def test_the_page_on_monitoring_lists_every_figure() -> None:
    page = (ROOT / "docs/operate/monitoring.md").read_text()
    listed = set(re.findall(r"^\| `(limner_\w+)`", page, re.MULTILINE))
    shown = {metric.name + ("_total" if metric.type == "counter" else "") for metric in metrics.REGISTRY.collect()}
    assert listed == shown


def test_panels_have_places_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken
        assert at["x"] + at["w"] <= 24
        taken |= cells
