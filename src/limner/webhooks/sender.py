"""Sends what is due, signed as Standard Webhooks has it (standardwebhooks.com): any of its libraries can verify it."""

import asyncio
import hmac
from base64 import b64encode
from datetime import datetime
from hashlib import sha256

import structlog

from limner.db.base import Database
from limner.db.types import Clock
from limner.errors import InvalidRequest
from limner.fetching.fetcher import Fetcher
from limner.webhooks import deliveries
from limner.webhooks.deliveries import Delivery
from limner.webhooks.endpoints import Webhook

POLL_SECONDS = 1.0
AT_ONCE = 16
GONE = 410

log = structlog.stdlib.get_logger(__name__)


class Sender:
    def __init__(self, *, database: Database, fetcher: Fetcher, clock: Clock) -> None:
        self._database = database
        self._fetcher = fetcher
        self._clock = clock

    async def run(self) -> None:
        """Forever; cancel it."""
        while True:
            try:
                sent = await self.send_due()
            except OSError as problem:
                log.warning("webhooks wait for the database", error=str(problem))
                sent = 0
            if sent == 0:
                await asyncio.sleep(POLL_SECONDS)

    async def send_due(self) -> int:
        """Send what is due now; how many."""
        now = self._clock()
        if not await self._database.read(lambda tx: deliveries.any_due(tx, now)):
            return 0
        taken = await self._database.write(lambda tx: deliveries.take_due(tx, now, limit=AT_ONCE))
        await asyncio.gather(*(self._send(delivery, webhook) for delivery, webhook in taken))
        return len(taken)

    async def forget_old(self) -> None:
        await self._database.write_slowly(lambda tx: deliveries.forget_old(tx, self._clock()))

    async def _send(self, delivery: Delivery, webhook: Webhook | None) -> None:
        if webhook is None:
            await self._fail(delivery, None, "The webhook was deleted.", final=True)
            return
        try:
            status = await self._fetcher.post(
                webhook.url, delivery.payload.encode(), headers(webhook.secret, delivery, self._clock())
            )
        except InvalidRequest as refused:
            await self._fail(delivery, None, refused.message)
            return
        if 200 <= status < 300:
            await self._database.write(lambda tx: deliveries.note_success(tx, delivery, status, self._clock()))
        else:
            await self._fail(delivery, status, f"The address answered with status {status}.", final=status == GONE)

    async def _fail(self, delivery: Delivery, status: int | None, problem: str, *, final: bool = False) -> None:
        await self._database.write(
            lambda tx: deliveries.note_failure(tx, delivery, status, problem, self._clock(), final=final)
        )


def headers(secret: bytes, delivery: Delivery, now: datetime) -> dict[str, str]:
    """The id is the event's, the same at every attempt; the signature covers it, the time and the body."""
    timestamp = int(now.timestamp())
    signed = f"{delivery.event_id}.{timestamp}.{delivery.payload}".encode()
    signature = b64encode(hmac.digest(secret, signed, sha256)).decode()
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def shown_secret(secret: bytes) -> str:
    """As Standard Webhooks' libraries take it."""
    return f"whsec_{b64encode(secret).decode()}"
