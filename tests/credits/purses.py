"""An account with credits, and the ledger's steps as one-liners."""

from dataclasses import dataclass
from datetime import UTC, datetime

from limner.accounts import accounts
from limner.credits import caps, ledger
from limner.credits.audit import Problem, problems
from limner.credits.caps import Cap, Period
from limner.credits.ledger import Balance
from limner.db.base import Database, Transaction
from limner.db.types import new_id

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@dataclass
class Purse:
    """One account of a database. `moment` is the time every step happens at."""

    database: Database
    account_id: str
    moment: datetime = NOON

    async def hold(self, credits: int, *owners: str, n: int = 1) -> list[str]:
        """Hold for n generations; their ids."""
        ids = [new_id() for _ in range(n)]
        await self.database.write(
            lambda tx: ledger.hold(
                tx, self.account_id, credits, generation_ids=ids, cap_owner_ids=owners, now=self.moment
            )
        )
        return ids

    async def capture(self, generation_id: str) -> int | None:
        entry = ledger.Entry("An image", reference_id=generation_id)
        return await self.database.write(lambda tx: ledger.capture(tx, generation_id, entry, self.moment))

    async def release(self, generation_id: str) -> int | None:
        return await self.database.write(lambda tx: ledger.release(tx, generation_id, self.moment))

    async def add(self, amount: int, kind: ledger.TransactionType, unique_key: str | None = None) -> bool:
        entry = ledger.Entry(kind, unique_key=unique_key)
        return await self.database.write(lambda tx: ledger.add(tx, self.account_id, amount, kind, entry, self.moment))

    async def put_cap(self, owner: str, limit: int, period: Period) -> None:
        await self.database.write(
            lambda tx: caps.put(tx, self.account_id, owner, limit=limit, period=period, now=self.moment)
        )

    async def cap(self, owner: str) -> Cap:
        cap = await self.database.read(lambda tx: caps.of_owner(tx, owner, self.moment))
        assert cap is not None
        return cap

    async def balance(self) -> Balance:
        return await self.database.read(lambda tx: ledger.balance(tx, self.account_id))

    async def move_to(self, time_zone: str) -> None:
        def move(tx: Transaction) -> None:
            tx.execute("UPDATE accounts SET time_zone = :zone WHERE id = :id", zone=time_zone, id=self.account_id)
            caps.follow_time_zone(tx, self.account_id, self.moment)

        await self.database.write(move)

    async def money_problems(self) -> list[Problem]:
        """What the audit finds, but for the generations that tests of the ledger alone do without."""
        found = await self.database.read_slowly(problems)
        return [problem for problem in found if "generation" not in problem.check]


async def new_purse(database: Database, credits: int, email: str = "owner@example.org") -> Purse:
    account_id, _ = await database.write(lambda tx: accounts.create(tx, email, NOON, verified=True))
    purse = Purse(database, account_id)
    if credits:
        await purse.add(credits, "grant")
    return purse
