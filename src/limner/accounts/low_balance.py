"""Telling an account that its credits run low: once each time its balance falls below the account's own line."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from limner.db.base import Database, Row, Transaction
from limner.db.types import Clock
from limner.mail.base import Letter, Mailer

USUAL_CREDITS = 20
"""The line of accounts that have not drawn their own; a line of 0 tells nobody anything."""

TRIED_AGAIN_AFTER = timedelta(minutes=10)

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Notice:
    """When an account wants to be told, and whether by mail too; `credits` None is the usual line."""

    credits: int | None
    by_mail: bool

    @property
    def line(self) -> int:
        return USUAL_CREDITS if self.credits is None else self.credits


@dataclass(frozen=True, slots=True)
class Fall:
    """A balance that went below its line just now."""

    ledger_balance: int
    line: int


def notice_of(tx: Transaction, account_id: str) -> Notice:
    row = tx.first("SELECT low_balance_credits, low_balance_by_mail FROM accounts WHERE id = :id", id=account_id)
    assert row is not None
    return _notice(row)


def change(tx: Transaction, account_id: str, notice: Notice) -> None:
    tx.execute(
        "UPDATE accounts SET low_balance_credits = :credits, low_balance_by_mail = :by_mail WHERE id = :id",
        id=account_id,
        credits=notice.credits,
        by_mail=int(notice.by_mail),
    )


def fell(tx: Transaction, account_id: str, *, by_credits: int, now: datetime) -> Fall | None:
    """Whether a charge of `by_credits` took the balance below the line; a letter about it is then due.

    Charges of one account go one after the other, so each fall is seen by exactly one of them.
    """
    row = tx.first(
        """SELECT b.ledger_balance, a.low_balance_credits, a.low_balance_by_mail
           FROM balances b JOIN accounts a ON a.id = b.account_id WHERE b.account_id = :id""",
        id=account_id,
    )
    assert row is not None
    balance, notice = row["ledger_balance"], _notice(row)
    if not balance < notice.line <= balance + by_credits:
        return None
    if notice.by_mail:
        tx.execute("UPDATE accounts SET low_balance_mail_at = :now WHERE id = :id", id=account_id, now=now)
    return Fall(balance, notice.line)


class LowBalanceMail:
    """Sends the letters that are due, from whichever process comes first; what the mail server refuses waits."""

    def __init__(self, *, database: Database, mailer: Mailer, public_url: str, clock: Clock) -> None:
        self._database = database
        self._mailer = mailer
        self._public_url = public_url
        self._clock = clock

    async def send_due(self) -> None:
        now = self._clock()
        if await self._database.read(lambda tx: _any_due(tx, now)):
            for row in await self._database.write(lambda tx: _take_due(tx, now)):
                await self._send(row, now)

    async def _send(self, row: Row, now: datetime) -> None:
        account_id = row["id"]
        letters = await self._database.read(lambda tx: self._letters(tx, account_id))
        try:
            for letter in letters:
                await self._mailer.send(letter)
        except OSError as problem:
            log.error("a letter could not be sent", subject=letters[0].subject, error=str(problem))
        else:
            await self._database.write(lambda tx: _told(tx, account_id, now))

    def _letters(self, tx: Transaction, account_id: str) -> list[Letter]:
        """None once there are credits again: nobody needs to hear of what is over."""
        balance = tx.scalar("SELECT ledger_balance FROM balances WHERE account_id = :id", id=account_id)
        line = notice_of(tx, account_id).line
        if balance >= line:
            return []
        text = (
            f"The balance of your account fell below {line} credits: {balance} left.\n\n"
            f"More credits: {self._public_url}/dashboard/billing\n"
            f"When you are told: {self._public_url}/dashboard/settings\n"
        )
        return [Letter(to, "Your Limner credits run low", text) for to in _addresses(tx, account_id)]


def _notice(row: Row) -> Notice:
    return Notice(row["low_balance_credits"], bool(row["low_balance_by_mail"]))


def _any_due(tx: Transaction, now: datetime) -> bool:
    due = "SELECT 1 FROM accounts WHERE low_balance_mail_at <= :now AND status <> 'deleted' LIMIT 1"
    return tx.scalar(due, now=now) is not None


def _take_due(tx: Transaction, now: datetime) -> list[Row]:
    """Claimed, so that no other process sends the same; due again where sending them comes to nothing."""
    return tx.all(
        """UPDATE accounts SET low_balance_mail_at = :later
           WHERE low_balance_mail_at <= :now AND status <> 'deleted' RETURNING id""",
        now=now,
        later=now + TRIED_AGAIN_AFTER,
    )


def _told(tx: Transaction, account_id: str, claimed_at: datetime) -> None:
    """Unless it fell again meanwhile."""
    tx.execute(
        "UPDATE accounts SET low_balance_mail_at = NULL WHERE id = :id AND low_balance_mail_at = :claim",
        id=account_id,
        claim=claimed_at + TRIED_AGAIN_AFTER,
    )


def _addresses(tx: Transaction, account_id: str) -> list[str]:
    """Those who can do something about it and have proved their address."""
    rows = tx.all(
        """SELECT u.email FROM memberships m JOIN users u ON u.id = m.user_id
           WHERE m.account_id = :id AND m.role IN ('owner', 'billing')
             AND u.email_verified_at IS NOT NULL AND u.disabled_at IS NULL ORDER BY u.id""",
        id=account_id,
    )
    return [row["email"] for row in rows]
