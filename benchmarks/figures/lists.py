"""9. Lists of an account with a million pictures beside the same lists with a thousand, on both databases."""

import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

import psycopg
from httpx2 import Client

from benchmarks import load
from benchmarks.figures.mcp import MODERN, request
from benchmarks.measure import Row
from benchmarks.postgres import postgresql
from benchmarks.servers import Limner, limner, make_account, sign_in_path
from benchmarks.sizes import Size
from limner.db.types import first_id_at, now, to_ms

TITLE = "Lists with a million pictures"
SMALL_ROWS = 1000
SPAN_MS = 100 * 24 * 3600 * 1000
"""The pictures were made in the last hundred days, at even distances."""

FILL = """
WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {rows}),
     made(i, at) AS (SELECT i, {start} + CAST(i AS BIGINT) * {step} FROM numbers)
INSERT INTO {table} ({columns}) SELECT {values} FROM made, (SELECT m.account_id, k.id AS key_id FROM memberships m
  JOIN users u ON u.id = m.user_id JOIN api_keys k ON k.account_id = m.account_id WHERE u.email = '{email}') owner
"""
# An id begins with its moment; the digit keeps those of the two accounts apart.
SQLITE_ID = "printf('%08x-%04x-7000-8000-{digit}%011d', at / 65536, at % 65536, i)"
POSTGRESQL_ID = """lpad(to_hex(at / 65536), 8, '0') || '-' || lpad(to_hex(at % 65536), 4, '0') || '-7000-8000-{digit}'
  || lpad(i::text, 11, '0')"""
GENERATIONS = {
    "id": "{id}",
    "call_id": "{id}",
    "position": "0",
    "account_id": "account_id",
    "api_key_id": "CASE WHEN i % 2 = 0 THEN key_id END",
    "status": "CASE WHEN i % 50 = 0 THEN 'failed' ELSE 'succeeded' END",
    "operation": "'generate'",
    "prompt": "'a quiet lake ' || i",
    "model_id": "CASE WHEN i % 10 = 0 THEN 'limner:sketch' ELSE 'openai:gpt-image-2' END",
    "provider_id": "'limner'",
    "options": '\'{{"aspectRatio":null,"thinkingLevel":null,"seed":1}}\'',
    "credits": "1",
    "warnings": "'[]'",
    "error": 'CASE WHEN i % 50 = 0 THEN \'{{"code":"no_image","message":"None."}}\' END',
    "attempts": "1",
    "deadline_at": "at",
    "blob_key": "'images/' || i || '/original/x.png'",
    "media_type": "'image/png'",
    "width": "64",
    "height": "64",
    "size_bytes": "100",
    "sha256": "'0'",
    "created_at": "at",
    "completed_at": "at",
}
TRANSACTIONS = {
    "id": "{id}",
    "account_id": "account_id",
    "api_key_id": "CASE WHEN i % 2 = 0 THEN key_id END",
    "amount": "-1",
    "type": "'charge'",
    "description": "'Image with limner:sketch'",
    "reference_id": "{id}",
    "model_id": "CASE WHEN i % 10 = 0 THEN 'limner:sketch' ELSE 'openai:gpt-image-2' END",
    "balance_after": "1000000000 - i",
    "created_at": "at",
}
TABLES = {"generations": GENERATIONS, "credit_transactions": TRANSACTIONS}
TOTALS = """UPDATE balances SET generations_total = {rows}, images_total = {rows}, transactions_total = {rows} WHERE account_id =
  (SELECT m.account_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = '{email}')"""

SCAN = "search that finds nothing (REST)"
"""Reads every prompt of the account: asked once a round."""


def measure(size: Size) -> list[Row]:
    with limner() as server:
        rows = _compared("SQLite", server, _on_sqlite(server), size)
    with postgresql() as url, limner(env={"LIMNER_DATABASE_URL": url}) as server:
        return rows + _compared("PostgreSQL", server, _on_postgresql(url), size)


def _compared(database: str, server: Limner, execute: "Callable[[_Fill], None]", size: Size) -> list[Row]:
    few_key = make_account(server.env, 10, "few@example.org")
    many_key = make_account(server.env, 10, "many@example.org")
    for email, rows, digit in (("few@example.org", SMALL_ROWS, "1"), ("many@example.org", size.rows, "2")):
        execute(_Fill(email, min(rows, size.rows), digit))
    with _signed_in(server, "few@example.org") as few_cookie, _signed_in(server, "many@example.org") as many_cookie:
        few, many = _calls(few_key, few_cookie), _calls(many_key, many_cookie)
        return [
            Row(f"{database}: {name}", *_medians(server, name, many[name], few[name], size), target=1.5) for name in few
        ]


def _medians(server: Limner, name: str, many: bytes, few: bytes, size: Size) -> tuple[float, str, float, str]:
    """Milliseconds (p50) with many pictures and with few, asked in turn."""
    slow: list[float] = []
    quick: list[float] = []
    pages = 1 if name == SCAN else size.pages // size.rounds or 1
    for _ in range(size.rounds):
        slow += load.send(server.port, [many], count=pages, connections=1).latencies
        quick += load.send(server.port, [few], count=pages, connections=1).latencies
    return median(slow) * 1000, "ms", median(quick) * 1000, "1,000 pictures"


def _calls(key: str, cookie: str) -> Mapping[str, bytes]:
    auth, page = {"Authorization": f"Bearer {key}"}, {"Cookie": cookie}
    middle = first_id_at(now() - timedelta(milliseconds=SPAN_MS // 2))
    return {
        "first page (REST)": load.request("/api/v1/images?limit=20", headers=auth),
        "page by cursor (REST)": load.request(f"/api/v1/images?limit=20&cursor={middle}", headers=auth),
        "succeeded only (REST)": load.request("/api/v1/images?limit=20&status=succeeded", headers=auth),
        "failed only (REST)": load.request("/api/v1/images?limit=20&status=failed", headers=auth),
        "of one model (REST)": load.request("/api/v1/images?limit=20&modelId=limner:sketch", headers=auth),
        "of a model never used (REST)": load.request("/api/v1/images?limit=20&modelId=bfl:flux-2-pro", headers=auth),
        "usage (REST)": load.request("/api/v1/usage?limit=20", headers=auth),
        "usage of one model (REST)": load.request("/api/v1/usage?limit=20&modelId=limner:sketch", headers=auth),
        "list_images (MCP)": request(MODERN, auth, "list_images"),
        "list_usage (MCP)": request(MODERN, auth, "list_usage"),
        "search for a common word (REST)": load.request("/api/v1/images?limit=20&q=quiet", headers=auth),
        SCAN: load.request("/api/v1/images?limit=20&q=sunflower", headers=auth),
        "gallery (page)": load.request("/dashboard/gallery", headers=page),
        "gallery of the dashboard's own (page)": load.request("/dashboard/gallery?by=browser", headers=page),
        "keys (page)": load.request("/dashboard/keys", headers=page),
        "usage of 90 days (page)": load.request("/dashboard/usage?days=90", headers=page),
        "usage (page)": load.request("/dashboard/usage", headers=page),
        "overview (page)": load.request("/dashboard", headers=page),
    }


@contextmanager
def _signed_in(server: Limner, email: str) -> Generator[str]:
    with Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        path = sign_in_path(server.env, email)
        client.post(path, headers={"Origin": f"http://127.0.0.1:{server.port}"})
        yield "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)


@dataclass(frozen=True, slots=True)
class _Fill:
    """Pictures and charges of one account; the digit keeps their ids apart from another's."""

    email: str
    rows: int
    digit: str

    def statements(self, an_id: str) -> list[str]:
        written = (self._fill(table, columns, an_id) for table, columns in TABLES.items())
        return [*written, TOTALS.format(rows=self.rows, email=self.email)]

    def _fill(self, table: str, columns: Mapping[str, str], an_id: str) -> str:
        values = ", ".join(columns.values()).format(id=an_id.format(digit=self.digit))
        start, step = to_ms(now()) - SPAN_MS, SPAN_MS // self.rows
        names = {"table": table, "columns": ", ".join(columns), "email": self.email}
        return FILL.format(rows=self.rows, start=start, step=step, values=values, **names)


def _on_sqlite(server: Limner) -> Callable[[_Fill], None]:
    def execute(fill: _Fill) -> None:
        connection = sqlite3.connect(server.data_dir / "limner.db", timeout=60)
        for statement in fill.statements(SQLITE_ID):
            connection.execute(statement)
        connection.commit()
        connection.execute("ANALYZE")
        connection.close()

    return execute


def _on_postgresql(url: str) -> Callable[[_Fill], None]:
    def execute(fill: _Fill) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER TABLE generations DISABLE TRIGGER ALL")  # no foreign keys: there are no calls
            for statement in fill.statements(POSTGRESQL_ID):
                connection.execute(statement.encode())
            connection.execute("ALTER TABLE generations ENABLE TRIGGER ALL")
            connection.execute("VACUUM ANALYZE")

    return execute
