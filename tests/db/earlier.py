"""Rows as a server of an earlier schema left them: what counts by hand at the first step, and a row in every other table.

A new step of the schema is covered by being there: each table that has no row yet gets one that its types, references
and checks allow, at the step that made it.
"""

import re
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, LargeBinary, MetaData, String, Table, inspect, select

from limner.accounts import keys
from limner.db.types import new_id, now, to_ms
from limner.errors import ModerationBlocked

SECRET = keys.mint()
AT = to_ms(now()) - 60_000

ACCOUNT, USER, KEY, CALL, MADE, REFUSED = (new_id() for _ in range(6))
OPTIONS = orjson.dumps(
    dict.fromkeys(["resolution", "quality", "thinkingLevel", "background", "outputFormat", "seed", "replacedBy"])
    | {"aspectRatio": "1:1", "upstreamId": "sketch", "sizePx": [1024, 1024], "providerOptions": {}, "fallbacks": []}
    | {"timeoutSeconds": 60, "partialImages": 0}
).decode()
ERROR = orjson.dumps(ModerationBlocked().as_data()).decode()
_GENERATION = {
    "call_id": CALL,
    "account_id": ACCOUNT,
    "api_key_id": KEY,
    "operation": "generate",
    "prompt": "a quiet lake",
    "model_id": "limner:sketch",
    "provider_id": "limner",
    "options": OPTIONS,
    "credits": 3,
    "deadline_at": AT,
    "created_at": AT,
    "completed_at": AT,
}
FIRST: dict[str, list[dict[str, Any]]] = {
    "accounts": [{"id": ACCOUNT, "name": "Ana", "created_at": AT}],
    "users": [{"id": USER, "email": "ana@example.org", "email_verified_at": AT, "is_admin": 1, "created_at": AT}],
    "memberships": [{"account_id": ACCOUNT, "user_id": USER, "role": "owner", "created_at": AT}],
    "api_keys": [
        {
            "id": KEY,
            "account_id": ACCOUNT,
            "name": "laptop",
            "prefix": SECRET[:7],
            "last_four": SECRET[-4:],
            "digest": keys.digest(SECRET),
            "scopes": "images:read images:generate account:read usage:read",
            "created_at": AT,
        }
    ],
    "balances": [
        {
            "account_id": ACCOUNT,
            "ledger_balance": 97,
            "transactions_total": 2,
            "generations_total": 2,
            "images_total": 1,
        }
    ],
    "credit_transactions": [
        {
            "id": new_id(),
            "account_id": ACCOUNT,
            "amount": amount,
            "type": kind,
            "description": "Before",
            "reference_id": reference,
            "balance_after": after,
            "created_at": AT,
        }
        for amount, kind, reference, after in [(100, "grant", None, 100), (-3, "charge", MADE, 97)]
    ],
    "calls": [{"id": CALL, "account_id": ACCOUNT, "caller_id": KEY, "request_digest": "0", "created_at": AT}],
    "holds": [
        {
            "generation_id": each,
            "account_id": ACCOUNT,
            "credits": 3,
            "state": state,
            "opened_at": AT,
            "ended_at": AT,
        }
        for each, state in [(MADE, "captured"), (REFUSED, "released")]
    ],
    "caps": [
        {
            "owner_id": KEY,
            "account_id": ACCOUNT,
            "limit_credits": 50,
            "period": "total",
            "period_start": 0,
            "spent": 3,
        }
    ],
    "capped_holds": [{"generation_id": MADE, "owner_id": KEY, "period_start": 0}],
    "generations": [
        {
            **_GENERATION,
            "id": MADE,
            "position": 0,
            "status": "succeeded",
            "blob_key": f"images/{MADE}/original/a.png",
            "media_type": "image/png",
            "width": 1024,
            "height": 1024,
            "size_bytes": 5,
            "sha256": "0" * 64,
        },
        {**_GENERATION, "id": REFUSED, "position": 1, "status": "failed", "error": ERROR},
    ],
}


def fill(connection: Connection) -> None:
    """A row in each table that has none; those of the first step as `FIRST` says."""
    found = MetaData()
    found.reflect(connection)
    for table in found.sorted_tables:
        if table.name != "alembic_version" and connection.execute(select(table).limit(1)).first() is None:
            for row in FIRST.get(table.name) or [_some_row(connection, table)]:
                connection.execute(table.insert().values(**row))


def everything(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, in an order of their own."""
    found = MetaData()
    found.reflect(connection)
    return {
        table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
        for table in found.sorted_tables
        if table.name != "alembic_version"
    }


def _some_row(connection: Connection, table: Table) -> dict[str, Any]:
    checks = " ".join(str(check["sqltext"]) for check in inspect(connection).get_check_constraints(table.name))
    row: dict[str, Any] = {}
    for column in table.columns:
        refers_to = next(iter(column.foreign_keys), None)
        if refers_to is not None:
            row[column.name] = connection.execute(select(refers_to.column).limit(1)).scalar()
        elif not column.nullable and column.server_default is None and column.autoincrement is not True:
            row[column.name] = _some_value(column.name, column.type, checks)
    return row


def _some_value(name: str, kind: Any, checks: str) -> Any:
    allowed = re.search(rf"\b{name}\b\S* (?:IN|= ANY)[^']*'([^']*)'", checks)
    if allowed:
        return allowed[1]
    if isinstance(kind, LargeBinary):
        return b"1"
    if isinstance(kind, String):
        return "[]"
    return AT if isinstance(kind, BigInteger) and name.endswith("_at") else 1
