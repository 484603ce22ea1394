"""How often a key may call: GCRA, `burst` calls at once and one more each second.

In one process the bucket is a number in memory; across processes it is a row, and one statement
decides (`full_at` is GCRA's theoretical arrival time, in milliseconds).
"""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple, Protocol

from limner.accounts.principal import Principal
from limner.db.base import Database, Transaction
from limner.db.types import Clock, to_ms
from limner.errors import RateLimited

STEP_MS = 1000
ACCOUNT_FACTOR = 5

CLOCKS_APART_MS = 60_000
"""A bucket that is further ahead than it can be is of before the clock was set back, and begins anew. Clocks of
several machines differ by less."""


class Taken(NamedTuple):
    """The outcome of one call: allowed or not, what is left at once, seconds until the next is allowed."""

    allowed: bool
    remaining: int
    retry_after_seconds: int


class Bucket(NamedTuple):
    """`burst` calls at once, of which one comes back every `step_ms`."""

    name: str
    burst: int
    step_ms: int = STEP_MS


class Buckets(Protocol):
    async def take(self, *buckets: Bucket) -> list[Taken]:
        """One call from each in turn, up to the first that refuses: what they say, that one last."""
        ...

    async def sweep(self) -> None:
        """Forget the buckets that are full again."""
        ...


class MemoryBuckets:
    """Exact within one process; full buckets are forgotten."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._full_at: dict[str, int] = {}

    async def take(self, *buckets: Bucket) -> list[Taken]:
        if len(self._full_at) > 10_000:
            await self.sweep()
        now = to_ms(self._clock())
        return _each(buckets, lambda bucket: self._take(bucket, now))

    def _take(self, bucket: Bucket, now: int) -> Taken:
        name, burst, step_ms = bucket
        kept = self._full_at.get(name, 0)
        full_at = (kept if now < kept <= now + burst * step_ms + CLOCKS_APART_MS else now) + step_ms
        if full_at - now > burst * step_ms:
            return _refused(full_at, now, burst, step_ms)
        self._full_at[name] = full_at
        return _allowed(full_at, now, burst, step_ms)

    async def sweep(self) -> None:
        now = to_ms(self._clock())
        self._full_at = {name: moment for name, moment in self._full_at.items() if moment > now}


class DatabaseBuckets:
    """Exact across processes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, *buckets: Bucket) -> list[Taken]:
        now = to_ms(self._clock())
        return await self._database.write(lambda tx: _each(buckets, lambda bucket: _take(tx, bucket, now)))

    async def sweep(self) -> None:
        now = self._clock()
        await self._database.write_slowly(
            lambda tx: tx.execute("DELETE FROM rate_limits WHERE full_at < :past", past=now - timedelta(minutes=5))
        )


class AddressLimit:
    """How often one address may try what a stranger can: signing in, registering, redeeming."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    async def check(self, what: str, subject: str, *, burst: int = 10, seconds_each: int = 6) -> None:
        """`burst` at once, then one every `seconds_each`; raises RateLimited."""
        [taken] = await self._buckets.take(Bucket(f"{what}:{subject}", burst, seconds_each * 1000))
        if not taken.allowed:
            raise RateLimited("Too many attempts from here.", retry_after_seconds=taken.retry_after_seconds)


class OverLimit(RateLimited):
    """`headers` tell where the caller stands, as those of every other answer do."""

    def __init__(self, message: str, *, retry_after_seconds: int, headers: dict[str, str]) -> None:
        super().__init__(message, retry_after_seconds=retry_after_seconds)
        self.headers = headers


class RateLimit:
    """The limit per key, and above it the account's. `burst` 0 turns both off."""

    def __init__(self, buckets: Buckets, burst: int) -> None:
        self._buckets = buckets
        self._burst = burst

    async def check(self, principal: Principal) -> dict[str, str]:
        """The headers that tell the caller where it stands; raises RateLimited."""
        if self._burst == 0:
            return {}
        taken = await self._buckets.take(
            Bucket(f"caller:{principal.caller_id}", self._burst),
            Bucket(f"account:{principal.account_id}", self._burst * ACCOUNT_FACTOR),
        )
        headers = self._headers(taken[0])
        if not taken[-1].allowed:
            raise self._refusal(taken, headers)
        return headers

    async def sweep(self) -> None:
        await self._buckets.sweep()

    def _refusal(self, taken: list[Taken], headers: dict[str, str]) -> OverLimit:
        own = f"More than {self._burst} calls at once; one more is allowed each second."
        message = own if len(taken) == 1 else "This account calls too often."
        return OverLimit(message, retry_after_seconds=taken[-1].retry_after_seconds, headers=headers)

    def _headers(self, own: Taken) -> dict[str, str]:
        """draft-ietf-httpapi-ratelimit-headers-11: `q` is the quota, `w` the window, `r` what remains, `t` until one more."""
        return {
            "RateLimit-Policy": f'"key";q={self._burst};w={self._burst}',
            "RateLimit": f'"key";r={own.remaining};t={own.retry_after_seconds}',
        }


def _each(buckets: Sequence[Bucket], take: Callable[[Bucket], Taken]) -> list[Taken]:
    taken: list[Taken] = []
    for bucket in buckets:
        taken.append(take(bucket))
        if not taken[-1].allowed:
            break
    return taken


def _take(tx: Transaction, bucket: Bucket, now: int) -> Taken:
    name, burst, step_ms = bucket
    row = tx.first(
        """INSERT INTO rate_limits (bucket, full_at) VALUES (:bucket, :now + :step)
           ON CONFLICT (bucket) DO UPDATE
           SET full_at = CASE WHEN rate_limits.full_at > :now AND rate_limits.full_at <= :latest
                              THEN rate_limits.full_at ELSE :now END + :step
           WHERE CASE WHEN rate_limits.full_at > :now AND rate_limits.full_at <= :latest
                      THEN rate_limits.full_at ELSE :now END + :step - :now <= :most
           RETURNING full_at""",
        bucket=name,
        now=now,
        step=step_ms,
        most=burst * step_ms,
        latest=now + burst * step_ms + CLOCKS_APART_MS,
    )
    if row is not None:
        return _allowed(row["full_at"], now, burst, step_ms)
    full_at = tx.scalar("SELECT full_at FROM rate_limits WHERE bucket = :bucket", bucket=name)
    return _refused(full_at + step_ms, now, burst, step_ms)


def _allowed(full_at: int, now: int, burst: int, step_ms: int) -> Taken:
    left_ms = burst * step_ms - (full_at - now)
    remaining = left_ms // step_ms
    return Taken(True, remaining, 0 if remaining else math.ceil((step_ms - left_ms) / 1000))


def _refused(full_at: int, now: int, burst: int, step_ms: int) -> Taken:
    return Taken(False, 0, max(1, math.ceil((full_at - now - burst * step_ms) / 1000)))
