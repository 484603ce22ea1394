"""API keys: made once, shown once, stored as a digest, revoked for good."""

import hashlib
import secrets
import string
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from limner.accounts.principal import DEFAULT_SCOPES, SCOPES, Principal, Scope
from limner.db.base import Row, Transaction
from limner.db.types import new_id, utc, utc_or_none
from limner.errors import Detail, InvalidRequest, NotFound

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LIVE_PREFIX = "sk_"
TEST_PREFIX = "sk_test_"
RANDOM_CHARACTERS = 30
CHECKSUM_CHARACTERS = 6


@dataclass(frozen=True, slots=True)
class NewKey:
    """What a key may do; `models` None means all of them, credits are whole numbers."""

    name: str = "API key"
    scopes: frozenset[Scope] = DEFAULT_SCOPES
    models: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    is_test: bool = False
    max_credits_per_call: int | None = None
    confirm_above_credits: int | None = None
    client_profile: str | None = None
    parent_key_id: str | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as lists show it; the secret itself is nowhere."""

    id: str
    account_id: str
    name: str
    prefix: str
    last_four: str
    scopes: frozenset[Scope]
    models: tuple[str, ...] | None
    is_test: bool
    parent_key_id: str | None
    max_credits_per_call: int | None
    confirm_above_credits: int | None
    client_profile: str | None
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime

    @property
    def shown(self) -> str:
        return f"{self.prefix}…{self.last_four}"


def create(tx: Transaction, account_id: str, new: NewKey, now: datetime) -> tuple[ApiKey, str]:
    """The key and its secret: the only time the secret can be seen."""
    secret = mint(is_test=new.is_test)
    key_id = new_id()
    tx.execute(
        """INSERT INTO api_keys (id, account_id, parent_key_id, name, prefix, last_four, digest, scopes, models, is_test,
                  max_credits_per_call, confirm_above_credits, client_profile, expires_at, created_at)
           VALUES (:id, :account_id, :parent_key_id, :name, :prefix, :last_four, :digest, :scopes, :models, :is_test,
                  :max_credits_per_call, :confirm_above_credits, :client_profile, :expires_at, :now)""",
        id=key_id,
        account_id=account_id,
        parent_key_id=new.parent_key_id,
        name=new.name,
        prefix=_shown_prefix(secret),
        last_four=secret[-4:],
        digest=digest(secret),
        scopes=" ".join(scope for scope in SCOPES if scope in new.scopes),
        models=None if new.models is None else orjson.dumps(new.models).decode(),
        is_test=int(new.is_test),
        max_credits_per_call=new.max_credits_per_call,
        confirm_above_credits=new.confirm_above_credits,
        client_profile=new.client_profile,
        expires_at=new.expires_at,
        now=now,
    )
    return get(tx, account_id, key_id), secret


def get(tx: Transaction, account_id: str, key_id: str) -> ApiKey:
    row = tx.first(
        "SELECT * FROM api_keys WHERE id = :id AND account_id = :account_id", id=key_id, account_id=account_id
    )
    if row is None:
        raise NotFound("There is no such API key.")
    return _key(row)


def rotate(tx: Transaction, account_id: str, key_id: str, now: datetime, *, overlap: timedelta) -> tuple[ApiKey, str]:
    """A new secret for a key that stays itself: its cap, its keys and its history go on.

    The secret before works for `overlap` longer, one before that no more. NotFound for a key that has ended.
    """
    key = get(tx, account_id, key_id)
    secret = mint(is_test=key.is_test)
    rotated = tx.execute(
        """UPDATE api_keys SET digest = :digest, last_four = :last_four, prefix = :prefix, previous_digest = digest,
                  previous_until = :until
           WHERE id = :id AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > :now)""",
        id=key_id,
        digest=digest(secret),
        last_four=secret[-4:],
        prefix=_shown_prefix(secret),
        until=now + overlap,
        now=now,
    )
    if not rotated:
        raise NotFound("That API key has ended.")
    return get(tx, account_id, key_id), secret


def limit_per_call(tx: Transaction, account_id: str, key_id: str, credits: int | None) -> None:
    """What one call may cost at most; None is no limit."""
    tx.execute(
        "UPDATE api_keys SET max_credits_per_call = :credits WHERE id = :id AND account_id = :account_id",
        id=key_id,
        account_id=account_id,
        credits=credits,
    )


def of_account(tx: Transaction, account_id: str) -> list[ApiKey]:
    """Newest first, revoked ones included."""
    rows = tx.all("SELECT * FROM api_keys WHERE account_id = :account_id ORDER BY id DESC", account_id=account_id)
    return [_key(row) for row in rows]


def revoke(tx: Transaction, account_id: str, key_id: str, now: datetime) -> None:
    """End a key and every key it made; revoking twice is fine, an unknown id is NotFound."""
    get(tx, account_id, key_id)
    tx.execute(
        """WITH RECURSIVE family(id) AS (
               SELECT id FROM api_keys WHERE id = :id
               UNION ALL SELECT k.id FROM api_keys k JOIN family f ON k.parent_key_id = f.id)
           UPDATE api_keys SET revoked_at = :now WHERE revoked_at IS NULL AND id IN (SELECT id FROM family)""",
        id=key_id,
        now=now,
    )


def principal_of(tx: Transaction, secret: str, now: datetime) -> Principal | None:
    """Who a secret speaks for; None for one that is unknown, expired or revoked, or whose maker is."""
    presented = digest(secret)
    row = _alive(tx, "k.digest = :digest", presented, now) or _alive(
        tx, "k.previous_digest = :digest AND k.previous_until > :now", presented, now
    )
    if row is None:
        return None
    makers = _makers(tx, row["parent_key_id"])
    if any(maker["revoked_at"] is not None or _has_passed(maker["expires_at"], now) for maker in makers):
        return None
    return _principal(row, [maker["id"] for maker in makers])


def touch(tx: Transaction, last_used: Sequence[tuple[str, datetime]]) -> None:
    """Note when keys were last used; called with many at a time."""
    for key_id, moment in last_used:
        tx.execute(
            "UPDATE api_keys SET last_used_at = :moment WHERE id = :id AND coalesce(last_used_at, 0) < :moment",
            id=key_id,
            moment=moment,
        )


def mint(*, is_test: bool = False) -> str:
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
    prefix = TEST_PREFIX if is_test else LIVE_PREFIX
    return f"{prefix}{random}{checksum(random)}"


def looks_right(secret: str) -> bool:
    """Whether the checksum fits: a wrong one is refused without asking the database."""
    body = secret.removeprefix(TEST_PREFIX) if secret.startswith(TEST_PREFIX) else secret.removeprefix(LIVE_PREFIX)
    return (
        secret.startswith(LIVE_PREFIX)
        and len(body) == RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
        and body.isascii()
        and body.isalnum()
        and checksum(body[:RANDOM_CHARACTERS]) == body[RANDOM_CHARACTERS:]
    )


def checksum(random: str) -> str:
    """CRC-32 of the random part in base 62, six characters: the form secret scanners know from GitHub's tokens."""
    value = zlib.crc32(random.encode())
    characters: list[str] = []
    for _ in range(CHECKSUM_CHARACTERS):
        value, rest = divmod(value, len(ALPHABET))
        characters.append(ALPHABET[rest])
    return "".join(reversed(characters))


def digest(secret: str) -> bytes:
    """SHA-256: the secret has 178 random bits, so nothing slower is needed."""
    return hashlib.sha256(secret.encode()).digest()


def parse_scopes(words: Sequence[str]) -> frozenset[Scope]:
    """The scopes named; raises InvalidRequest for one that does not exist."""
    known: dict[str, Scope] = {scope: scope for scope in SCOPES}
    if unknown := [word for word in words if word not in known]:
        problem = f"unknown scope '{unknown[0]}'; allowed: {', '.join(SCOPES)}"
        raise InvalidRequest(f"There is no scope '{unknown[0]}'.", details=[Detail("scopes", problem)])
    return frozenset(known[word] for word in words)


def _shown_prefix(secret: str) -> str:
    return secret[: len(TEST_PREFIX if secret.startswith(TEST_PREFIX) else LIVE_PREFIX) + 4]


def _alive(tx: Transaction, condition: str, presented: bytes, now: datetime) -> Row | None:
    return tx.first(
        f"""SELECT k.*, a.status AS account_status, a.status_reason, u.id AS user_id, u.email
           FROM api_keys k JOIN accounts a ON a.id = k.account_id
           LEFT JOIN memberships m ON m.account_id = a.id AND m.role = 'owner'
           LEFT JOIN users u ON u.id = m.user_id
           WHERE {condition} AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > :now)
             AND a.status <> 'deleted'
           ORDER BY u.id LIMIT 1""",  # noqa: S608 — only our own fragments
        digest=presented,
        now=now,
    )


def _makers(tx: Transaction, parent_key_id: str | None) -> list[Row]:
    """The keys a key was made by, nearest first; most keys have none and cost no query."""
    if parent_key_id is None:
        return []
    return tx.all(
        """WITH RECURSIVE makers(id, parent_key_id, revoked_at, expires_at, depth) AS (
               SELECT id, parent_key_id, revoked_at, expires_at, 0 FROM api_keys WHERE id = :id
               UNION ALL SELECT k.id, k.parent_key_id, k.revoked_at, k.expires_at, m.depth + 1
               FROM api_keys k JOIN makers m ON k.id = m.parent_key_id)
           SELECT id, revoked_at, expires_at FROM makers ORDER BY depth""",
        id=parent_key_id,
    )


def _has_passed(expires_at: int | None, now: datetime) -> bool:
    return expires_at is not None and utc(expires_at) <= now


def _principal(row: Row, maker_ids: Sequence[str]) -> Principal:
    return Principal(
        account_id=row["account_id"],
        caller_id=row["id"],
        scopes=parse_scopes(row["scopes"].split()),
        user_id=row["user_id"],
        email=row["email"],
        api_key_id=row["id"],
        models=None if row["models"] is None else frozenset(orjson.loads(row["models"])),
        is_test=bool(row["is_test"]),
        suspended_reason=(row["status_reason"] or "suspended") if row["account_status"] == "suspended" else None,
        cap_owner_ids=(row["id"], *maker_ids),
        max_credits_per_call=row["max_credits_per_call"],
        confirm_above_credits=row["confirm_above_credits"],
        client_profile=row["client_profile"],
    )


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        account_id=row["account_id"],
        name=row["name"],
        prefix=row["prefix"],
        last_four=row["last_four"],
        scopes=parse_scopes(row["scopes"].split()),
        models=None if row["models"] is None else tuple(orjson.loads(row["models"])),
        is_test=bool(row["is_test"]),
        parent_key_id=row["parent_key_id"],
        max_credits_per_call=row["max_credits_per_call"],
        confirm_above_credits=row["confirm_above_credits"],
        client_profile=row["client_profile"],
        expires_at=utc_or_none(row["expires_at"]),
        revoked_at=utc_or_none(row["revoked_at"]),
        last_used_at=utc_or_none(row["last_used_at"]),
        created_at=utc(row["created_at"]),
    )
