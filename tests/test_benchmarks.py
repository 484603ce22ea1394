"""Every benchmark starts its servers and gives its figures, on sizes that say nothing about speed."""

import importlib
import math
import shutil

import pytest
from benchmarks import charts, past, report
from benchmarks.__main__ import FIGURES
from benchmarks.servers import OTHER_PYTHON
from benchmarks.sizes import TINY

from limner.accounts import accounts
from limner.credits import audit, ledger
from limner.db.base import Database, Transaction
from limner.db.types import now
from limner.db.url import sqlite_path

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


async def test_a_past_written_set_by_set_is_what_the_server_would_have_left(
    database: Database, database_url: str
) -> None:
    def account(tx: Transaction) -> str:
        account_id, _ = accounts.create(tx, "owner@example.org", now())
        ledger.add(tx, account_id, 1000, "grant", ledger.Entry("Opening balance"), now())
        return account_id

    account_id = await database.write(account)
    pasts = [past.Past(account_id, ["laptop", "server", "phone"], 1000, rows=200, digit="1")]
    if (path := sqlite_path(database_url)) is not None:
        past.on_sqlite(path, pasts)
    else:
        past.on_postgresql(database_url, pasts)
    assert await database.read_slowly(audit.problems) == []
    assert (await database.read(lambda tx: ledger.balance(tx, account_id))).images_total == 197
