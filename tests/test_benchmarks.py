"""Every benchmark starts its servers and gives its figures, on sizes that say nothing about speed."""

import importlib
import math
import shutil

import pytest
from benchmarks import charts, report
from benchmarks.__main__ import FIGURES
from benchmarks.servers import OTHER_PYTHON
from benchmarks.sizes import TINY

BESIDE_OTHERS = ("account", "mcp", "image", "delivery")
"""Need what is installed only to be measured beside (`python -m benchmarks install`)."""


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore:.*XDG_RUNTIME_DIR")
@pytest.mark.parametrize("figure", FIGURES)
def test_a_benchmark_starts_and_gives_its_figures(figure: str) -> None:
    if figure in BESIDE_OTHERS and not OTHER_PYTHON.exists():
        pytest.skip("what it is measured beside is not installed")
    if figure == "delivery" and shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        pytest.skip("nginx is not installed")
    module = importlib.import_module(f"benchmarks.figures.{figure}")

    rows = module.measure(TINY)

    assert rows
    assert all(math.isfinite(row.value) and row.unit for row in rows)
    data = [row.data() for row in rows]
    assert charts.chart(module.TITLE, data).startswith("<svg")
    assert all(row.name in report.sentence(each) for row, each in zip(rows, data, strict=True))
