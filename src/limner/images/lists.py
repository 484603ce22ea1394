"""Which generations there are: an account's lists, and what waits, is overdue or was abandoned in all accounts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from limner.db.base import Transaction
from limner.db.types import utc_or_none
from limner.images.generations import Generation, Status, from_row


@dataclass(frozen=True, slots=True)
class Filter:
    """Which generations a list shows; None means any. `caller_id` is a key, or `browser` for neither key nor connection."""

    statuses: tuple[Status, ...] | None = None
    model_id: str | None = None
    text: str | None = None
    caller_id: str | None = None
    since_id: str | None = None
    before_id: str | None = None
    sha256: str | None = None

    @property
    def is_open(self) -> bool:
        return (self.statuses, self.model_id, self.text, self.caller_id, self.since_id, self.sha256) == (None,) * 6

    @property
    def has_index(self) -> bool:
        """Whether an index leads to what it shows; else many may be looked at for each that is found."""
        chosen = (self.statuses, self.model_id, self.caller_id, self.sha256)
        return self.text is None and sum(each is not None for each in chosen) <= 1


def of_account(tx: Transaction, account_id: str, which: Filter, *, limit: int, offset: int = 0) -> list[Generation]:
    """Newest first."""
    conditions, params = _conditions(which)
    rows = tx.all(
        f"""SELECT * FROM generations WHERE account_id = :account_id AND deleted_at IS NULL {conditions}
            ORDER BY id DESC LIMIT :limit OFFSET :offset""",  # noqa: S608 — only our own fragments
        account_id=account_id,
        limit=limit,
        offset=offset,
        **params,
    )
    return [from_row(row) for row in rows]


def newer(tx: Transaction, account_id: str, generation_id: str) -> str | None:
    """The account's next picture after one, by id."""
    return tx.scalar(
        """SELECT id FROM generations WHERE account_id = :account_id AND deleted_at IS NULL AND status = 'succeeded'
             AND id > :id ORDER BY id LIMIT 1""",
        account_id=account_id,
        id=generation_id,
    )


def ended_before(tx: Transaction, account_id: str, before: datetime, *, limit: int) -> list[Generation]:
    """Those that ended before a moment and are still kept, oldest first."""
    rows = tx.all(
        """SELECT * FROM generations WHERE account_id = :account_id AND deleted_at IS NULL AND completed_at < :before
           ORDER BY id LIMIT :limit""",
        account_id=account_id,
        before=before,
        limit=limit,
    )
    return [from_row(row) for row in rows]


def unended_of_account(tx: Transaction, account_id: str) -> int:
    return tx.scalar(
        "SELECT count(*) FROM generations WHERE account_id = :account_id AND status IN ('queued', 'running')",
        account_id=account_id,
    )


def waiting_for(tx: Transaction, provider_id: str) -> list[str]:
    """What waits for one provider, oldest first."""
    rows = tx.all(
        "SELECT id FROM generations WHERE status = 'queued' AND provider_id = :provider_id ORDER BY id",
        provider_id=provider_id,
    )
    return [row["id"] for row in rows]


def running(tx: Transaction) -> list[str]:
    return [row["id"] for row in tx.all("SELECT id FROM generations WHERE status = 'running'")]


@dataclass(frozen=True, slots=True)
class Waiting:
    count: int
    oldest_at: datetime | None
    running: int


def waiting(tx: Transaction) -> Waiting:
    """How many generations wait in all accounts together, and since when the first of them does, and how many run."""
    row = tx.first("SELECT count(*) AS count, min(created_at) AS oldest FROM generations WHERE status = 'queued'")
    assert row is not None
    running = tx.scalar("SELECT count(*) FROM generations WHERE status = 'running'")
    return Waiting(row["count"], utc_or_none(row["oldest"]), running)


def overdue(tx: Transaction, now: datetime, *, limit: int = 100) -> list[str]:
    """Queued past their deadline."""
    rows = tx.all(
        "SELECT id FROM generations WHERE status = 'queued' AND deadline_at < :now ORDER BY id LIMIT :limit",
        now=now,
        limit=limit,
    )
    return [row["id"] for row in rows]


def abandoned(tx: Transaction, now: datetime, *, limit: int = 100) -> dict[str, str]:
    """Running under a lease that ran out, with their providers: their process is gone or stuck."""
    rows = tx.all(
        "SELECT id, provider_id FROM generations WHERE status = 'running' AND lease_until < :now ORDER BY id LIMIT :limit",
        now=now,
        limit=limit,
    )
    return {row["id"]: row["provider_id"] for row in rows}


def _conditions(which: Filter) -> tuple[str, dict[str, Any]]:
    conditions: list[str] = []
    params: dict[str, Any] = {}
    if which.statuses is not None:
        names = [f"status_{index}" for index in range(len(which.statuses))]
        conditions.append(f"status IN ({', '.join(f':{name}' for name in names)})")
        params |= dict(zip(names, which.statuses, strict=True))
    if which.model_id is not None:
        conditions.append("model_id = :model_id")
        params["model_id"] = which.model_id
    if which.text is not None:
        conditions.append("lower(prompt) LIKE :text ESCAPE '!'")
        escaped = which.text.lower().replace("!", "!!").replace("%", "!%").replace("_", "!_")
        params["text"] = f"%{escaped}%"
    if which.sha256 is not None:
        conditions.append("sha256 = :sha256")
        params["sha256"] = which.sha256
    if which.caller_id == "browser":
        conditions.append("api_key_id IS NULL AND connection_id IS NULL")
    elif which.caller_id is not None:
        conditions.append("api_key_id = :caller_id AND connection_id IS NULL")
        params["caller_id"] = which.caller_id
    if which.since_id is not None:
        conditions.append("id >= :since_id")
        params["since_id"] = which.since_id
    if which.before_id is not None:
        conditions.append("id < :before_id")
        params["before_id"] = which.before_id
    return "".join(f" AND {condition}" for condition in conditions), params
