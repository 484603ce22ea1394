"""An account's past, written set by set: calls, pictures, holds and charges as the server itself would have left them.

A million pictures are written in a minute: indexes are made afterwards, and what triggers keep row by row is added up once.
`tests/test_benchmarks.py` holds the outcome against the ledger's audit.
"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from limner.db.types import now, to_ms

SPAN_MS = 100 * 24 * 3600 * 1000
"""The pictures were made in the last hundred days, at even distances."""

TABLES = ("calls", "generations", "holds", "credit_transactions")
MADE = """
    WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {rows}),
    timed(i, at) AS (SELECT i, {start} + CAST(i AS BIGINT) * {step} FROM numbers)
    SELECT i, at, {id} AS id, CASE WHEN i % 53 = 0 THEN 1 ELSE 0 END AS failed,
      CASE i % 7 WHEN 0 THEN NULL WHEN 1 THEN '{key_3}' WHEN 2 THEN '{key_2}' WHEN 3 THEN '{key_2}' ELSE '{key_1}' END AS key_id,
      CASE i % 10 WHEN 0 THEN 'limner:sketch' WHEN 1 THEN 'google:gemini-3.1-flash-image' WHEN 2 THEN 'google:gemini-3.1-flash-image'
        WHEN 3 THEN 'openai:gpt-image-1-mini' ELSE 'openai:gpt-image-2' END AS model_id
    FROM timed
"""
"""One row for each picture. The numbers of keys and of models have no divisor in common, so each key uses each model."""

# An id begins with its moment; the digit keeps those of two accounts apart.
SQLITE_ID = "printf('%08x-%04x-7000-8000-{digit}%011d', at / 65536, at % 65536, i)"
POSTGRESQL_ID = """lpad(to_hex(at / 65536), 8, '0') || '-' || lpad(to_hex(at % 65536), 4, '0') || '-7000-8000-{digit}'
  || lpad(i::text, 11, '0')"""
COLUMNS: Mapping[str, Mapping[str, str]] = {
    "calls": {
        "id": "id",
        "account_id": "'{account_id}'",
        "caller_id": "coalesce(key_id, 'session')",
        "request_digest": "id",
        "delivered_at": "at",
        "created_at": "at",
    },
    "generations": {
        "id": "id",
        "call_id": "id",
        "position": "0",
        "account_id": "'{account_id}'",
        "api_key_id": "key_id",
        "status": "CASE failed WHEN 1 THEN 'failed' ELSE 'succeeded' END",
        "operation": "'generate'",
        "prompt": "'a quiet lake ' || i",
        "model_id": "model_id",
        "provider_id": "'limner'",
        "options": '\'{{"aspectRatio":null,"thinkingLevel":null,"seed":1}}\'',
        "credits": "1",
        "warnings": "'[]'",
        "error": 'CASE failed WHEN 1 THEN \'{{"code":"no_image","message":"None."}}\' END',
        "attempts": "1",
        "deadline_at": "at",
        "blob_key": "CASE failed WHEN 0 THEN 'images/' || i || '/original/x.png' END",
        "media_type": "CASE failed WHEN 0 THEN 'image/png' END",
        "width": "CASE failed WHEN 0 THEN 64 END",
        "height": "CASE failed WHEN 0 THEN 64 END",
        "size_bytes": "CASE failed WHEN 0 THEN 100 END",
        "sha256": "CASE failed WHEN 0 THEN id END",
        "created_at": "at",
        "completed_at": "at",
    },
    "holds": {
        "generation_id": "id",
        "account_id": "'{account_id}'",
        "credits": "1",
        "state": "CASE failed WHEN 1 THEN 'released' ELSE 'captured' END",
        "opened_at": "at",
        "ended_at": "at",
    },
    "credit_transactions": {
        "id": "id",
        "account_id": "'{account_id}'",
        "api_key_id": "key_id",
        "amount": "-1",
        "type": "'charge'",
        "description": "'Image with ' || model_id",
        "reference_id": "id",
        "model_id": "model_id",
        "balance_after": "{opening} - i + i / 53",
        "created_at": "at",
    },
}
METERS = """
    INSERT INTO meters (account_id, model_id, caller_id)
    SELECT DISTINCT account_id, coalesce(model_id, ''), coalesce(api_key_id, '')
    FROM credit_transactions WHERE type = 'charge' AND account_id = '{account_id}'
"""
READINGS = """
    INSERT INTO readings (meter_id, quarter_hour, credits, pictures)
    SELECT m.id, t.created_at / 900000, sum(-sum(t.amount)) OVER until_then, sum(count(*)) OVER until_then
    FROM credit_transactions t JOIN meters m ON m.account_id = t.account_id
      AND m.model_id = coalesce(t.model_id, '') AND m.caller_id = coalesce(t.api_key_id, '')
    WHERE t.type = 'charge' AND t.account_id = '{account_id}'
    GROUP BY m.id, t.created_at / 900000 WINDOW until_then AS (PARTITION BY m.id ORDER BY t.created_at / 900000)
"""
TOTALS = """
    UPDATE balances SET ledger_balance = ledger_balance - {charged}, transactions_total = transactions_total + {charged},
      generations_total = generations_total + {rows}, images_total = images_total + {charged}
    WHERE account_id = '{account_id}'
"""


@dataclass(frozen=True, slots=True)
class Past:
    """`opening` is the balance there was before; the digit keeps the ids apart from another account's."""

    account_id: str
    key_ids: Sequence[str]
    opening: int
    rows: int
    digit: str

    @property
    def charged(self) -> int:
        return self.rows - self.rows // 53

    def statements(self, an_id: str) -> list[str]:
        """In the order in which tables refer to each other."""
        key_1, key_2, key_3 = self.key_ids
        names: dict[str, Any] = {"account_id": self.account_id, "key_1": key_1, "key_2": key_2, "key_3": key_3}
        names |= {"rows": self.rows, "charged": self.charged, "opening": self.opening}
        names |= {"start": to_ms(now()) - SPAN_MS, "step": SPAN_MS // self.rows}
        made = MADE.format(id=an_id.format(digit=self.digit), **names)
        written = [_insert(table, columns, made, names) for table, columns in COLUMNS.items()]
        return [*written, *(each.format(**names) for each in (METERS, READINGS, TOTALS))]


def _insert(table: str, columns: Mapping[str, str], made: str, names: Mapping[str, Any]) -> str:
    values = ", ".join(columns.values()).format(**names)
    which = " WHERE failed = 0" if table == "credit_transactions" else ""
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM ({made}) made{which}"


def on_sqlite(path: Path, pasts: Sequence[Past]) -> None:
    """Beside a server that runs; the trigger is away while the rows are written."""
    with closing(sqlite3.connect(path, timeout=60, isolation_level=None)) as connection:
        for pragma in ("synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        aside = connection.execute(
            f"""SELECT 'DROP ' || type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL
                AND (type = 'index' AND tbl_name IN {TABLES} OR name = 'credit_transactions_meters')"""
        ).fetchall()
        _without(aside, [each for past in pasts for each in past.statements(SQLITE_ID)], connection.execute)
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def on_postgresql(url: str, pasts: Sequence[Past]) -> None:
    """Beside a server that runs; a replica's session fires no triggers."""
    with psycopg.connect(url, autocommit=True) as connection:
        for setting in (
            "maintenance_work_mem = '512MB'",
            "synchronous_commit = off",
            "session_replication_role = replica",
        ):
            connection.execute(f"SET {setting}".encode())
        aside = connection.execute(
            """SELECT 'DROP INDEX ' || indexname, indexdef FROM pg_indexes
               WHERE tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)""",
            [list(TABLES)],
        ).fetchall()
        statements = [each for past in pasts for each in past.statements(POSTGRESQL_ID)]
        _without(aside, statements, lambda statement: connection.execute(statement.encode()))
        connection.execute("VACUUM ANALYZE")


def _without(aside: Sequence[tuple[str, str]], statements: Sequence[str], execute: Callable[[str], object]) -> None:
    """Run statements while what would be kept row by row is away."""
    for drop, _ in aside:
        execute(drop)
    for statement in statements:
        execute(statement)
    for _, make in aside:
        execute(make)
