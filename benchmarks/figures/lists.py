"""9. Lists of an account with a million pictures beside the same lists with a thousand, on both databases."""

import sqlite3
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from statistics import median

import psycopg
from httpx2 import Client

from benchmarks import load
from benchmarks.figures.mcp import MODERN, request
from benchmarks.measure import Row
from benchmarks.postgres import postgresql
from benchmarks.servers import Limner, limner, make_account, sign_in_path
from benchmarks.sizes import Size

TITLE = "Lists with a million pictures"
SMALL_ROWS = 1000
FIRST_ID = "01900000-0000-7000-8000-"

# The same text on both databases but for how a number is padded with zeros.
FILL = """
WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {rows})
INSERT INTO {table} ({columns}) SELECT {values} FROM numbers, (SELECT m.account_id FROM memberships m
  JOIN users u ON u.id = m.user_id WHERE u.email = '{email}') owner
"""
GENERATIONS = {
    "id": "'{first}' || {padded}",
    "call_id": "'{first}' || {padded}",
    "position": "0",
    "account_id": "account_id",
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
    "deadline_at": "1700000000000",
    "blob_key": "'images/' || i || '/original/x.png'",
    "media_type": "'image/png'",
    "width": "64",
    "height": "64",
    "size_bytes": "100",
    "sha256": "'0'",
    "created_at": "1700000000000 + i",
    "completed_at": "1700000000000 + i",
}
TRANSACTIONS = {
    "id": "'{first}' || {padded}",
    "account_id": "account_id",
    "amount": "-1",
    "type": "'charge'",
    "description": "'Image with limner:sketch'",
    "reference_id": "'{first}' || {padded}",
    "model_id": "CASE WHEN i % 10 = 0 THEN 'limner:sketch' ELSE 'openai:gpt-image-2' END",
    "balance_after": "1000000000 - i",
    "created_at": "1700000000000 + i",
}
TOTALS = """UPDATE balances SET generations_total = {rows}, images_total = {rows}, transactions_total = {rows} WHERE account_id =
  (SELECT m.account_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = '{email}')"""


def measure(size: Size) -> list[Row]:
    with limner() as server:
        rows = _compared("SQLite", server, _on_sqlite(server), size)
    with postgresql() as url, limner(env={"LIMNER_DATABASE_URL": url}) as server:
        return rows + _compared("PostgreSQL", server, _on_postgresql(url), size)


def _compared(database: str, server: Limner, execute: Callable[[list[str]], None], size: Size) -> list[Row]:
    few_key = make_account(server.env, 10, "few@example.org")
    many_key = make_account(server.env, 10, "many@example.org")
    for email, rows, digit in (("few@example.org", SMALL_ROWS, "1"), ("many@example.org", size.rows, "2")):
        execute(_filling(email, min(rows, size.rows), digit))
    with _signed_in(server, "few@example.org") as few_cookie, _signed_in(server, "many@example.org") as many_cookie:
        few, many = _calls(few_key, few_cookie, "1", SMALL_ROWS), _calls(many_key, many_cookie, "2", size.rows)
        return [Row(f"{database}: {name}", *_medians(server, many[name], few[name], size), target=1.5) for name in few]


def _medians(server: Limner, many: bytes, few: bytes, size: Size) -> tuple[float, str, float, str]:
    """Milliseconds (p50) with many pictures and with few, asked in turn."""
    slow: list[float] = []
    quick: list[float] = []
    for _ in range(size.rounds):
        slow += load.send(server.port, [many], count=size.pages // size.rounds or 1, connections=1).latencies
        quick += load.send(server.port, [few], count=size.pages // size.rounds or 1, connections=1).latencies
    return median(slow) * 1000, "ms", median(quick) * 1000, "1,000 pictures"


def _calls(key: str, cookie: str, digit: str, rows: int) -> Mapping[str, bytes]:
    auth, page = {"Authorization": f"Bearer {key}"}, {"Cookie": cookie}
    middle = f"{FIRST_ID}{digit}{rows // 2:011d}"
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
        "gallery (page)": load.request("/dashboard/gallery", headers=page),
        "usage (page)": load.request("/dashboard/usage", headers=page),
        "overview (page)": load.request("/dashboard", headers=page),
    }


@contextmanager
def _signed_in(server: Limner, email: str) -> Generator[str]:
    with Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        path = sign_in_path(server.env, email)
        client.post(path, headers={"Origin": f"http://127.0.0.1:{server.port}"})
        yield "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)


def _filling(email: str, rows: int, digit: str) -> list[str]:
    def fill(table: str, columns: Mapping[str, str]) -> str:
        values = ", ".join(columns.values()).format(first=FIRST_ID + digit, padded="{padded}")
        text = FILL.format(rows=rows, table=table, columns=", ".join(columns), values="{values}", email=email)
        return text.replace("{values}", values)

    return [
        fill("generations", GENERATIONS),
        fill("credit_transactions", TRANSACTIONS),
        TOTALS.format(rows=rows, email=email),
    ]


def _on_sqlite(server: Limner) -> Callable[[list[str]], None]:
    def execute(statements: list[str]) -> None:
        connection = sqlite3.connect(server.data_dir / "limner.db", timeout=60)
        for statement in statements:
            connection.execute(statement.replace("{padded}", "printf('%011d', i)"))
        connection.commit()
        connection.execute("ANALYZE")
        connection.close()

    return execute


def _on_postgresql(url: str) -> Callable[[list[str]], None]:
    def execute(statements: list[str]) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")  # no foreign keys: there are no calls
            for statement in statements:
                connection.execute(statement.replace("{padded}", "lpad(i::text, 11, '0')").encode())
            connection.execute("VACUUM ANALYZE")

    return execute
