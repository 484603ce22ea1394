"""Outgoing webhooks: what is told, how it is signed, what happens when nobody answers; on both databases."""

import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import orjson
import pytest
from tests.credits.purses import Purse, new_purse
from tests.peers.https import Authority, Peer, response

from limner.db.base import Database
from limner.db.types import now
from limner.errors import InvalidRequest, NotFound
from limner.fetching.fetcher import Fetcher
from limner.webhooks import deliveries, endpoints
from limner.webhooks.deliveries import BACK_OFF, Delivery
from limner.webhooks.endpoints import EVENT_TYPES, Webhook
from limner.webhooks.sender import Sender, shown_secret


@dataclass
class Post:
    """An account with one webhook, the peer that listens there, and a sender whose clock the test moves."""

    purse: Purse
    peer: Peer
    webhook: Webhook
    sender: Sender

    async def emit(self, kind: endpoints.EventType = "image.succeeded", **more: Any) -> None:
        await self.purse.database.write(
            lambda tx: deliveries.emit(tx, self.purse.account_id, kind, {"n": 1}, self.purse.moment, **more)
        )

    async def log(self) -> list[Delivery]:
        return list(
            await self.purse.database.read(
                lambda tx: deliveries.of_webhook(tx, self.purse.account_id, self.webhook.id, limit=100, offset=0)
            )
        )


@pytest.fixture
async def post(database: Database, peer: Peer, authority: Authority) -> AsyncIterator[Post]:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    purse = await new_purse(database, 10)
    purse.moment = now()
    peer.answer = response()
    url = f"https://files.test:{peer.port}/hook"
    webhook = await database.write(lambda tx: endpoints.create(tx, purse.account_id, url, EVENT_TYPES, purse.moment))
    fetcher = Fetcher(allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=authority.client, resolve=resolve)
    yield Post(purse, peer, webhook, Sender(database=database, fetcher=fetcher, clock=lambda: purse.moment))
    await fetcher.close()


async def test_an_event_arrives_signed_as_standard_webhooks_has_it(post: Post) -> None:
    await post.emit()
    assert await post.sender.send_due() == 1
    [request] = post.peer.requests
    assert request.line == "POST /hook HTTP/1.1"
    sent = orjson.loads(request.body)
    assert (sent["type"], sent["data"]) == ("image.succeeded", {"n": 1})
    key = b64decode(shown_secret(post.webhook.secret).removeprefix("whsec_"))
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    assert request.headers["webhook-signature"] == f"v1,{b64encode(hmac.digest(key, signed, sha256)).decode()}"
    [line] = await post.log()
    assert (line.status, line.answered_status, line.attempts) == ("delivered", 200, 1)
    assert await post.sender.send_due() == 0


async def test_what_is_not_taken_comes_again_later_and_later_and_is_given_up_at_last(post: Post) -> None:
    post.peer.answer = response(status="500 Oops")
    await post.emit()
    for pause in BACK_OFF:
        assert await post.sender.send_due() == 1
        [line] = await post.log()
        assert (line.status, line.answered_status) == ("waiting", 500)
        assert await post.sender.send_due() == 0
        post.purse.moment += pause
    assert await post.sender.send_due() == 1
    [line] = await post.log()
    assert (line.status, line.attempts, line.next_at) == ("failed", len(BACK_OFF) + 1, None)
    assert len({request.headers["webhook-id"] for request in post.peer.requests}) == 1
    post.peer.answer = response()
    await post.purse.database.write(
        lambda tx: deliveries.resend(tx, post.purse.account_id, post.webhook.id, line.id, post.purse.moment)
    )
    assert await post.sender.send_due() == 1
    assert [each.status for each in await post.log()] == ["delivered"]


async def test_an_address_that_is_gone_or_forbidden_or_deleted_is_not_bothered(post: Post) -> None:
    post.peer.answer = response(status="410 Gone")
    await post.emit()
    await post.sender.send_due()
    assert [line.status for line in await post.log()] == ["failed"]
    await post.purse.database.write(lambda tx: tx.execute("UPDATE webhooks SET url = 'https://10.0.0.1/'"))
    await post.emit()
    await post.sender.send_due()
    assert "not" in ((await post.log())[0].problem or "")
    await post.emit()
    await post.purse.database.write(
        lambda tx: endpoints.delete(tx, post.purse.account_id, post.webhook.id, post.purse.moment)
    )
    before = len(post.peer.requests)
    post.purse.moment += timedelta(hours=1)
    await post.sender.send_due()
    assert len(post.peer.requests) == before
    with pytest.raises(NotFound):
        await post.log()


async def test_a_delivery_whose_process_died_is_taken_up_by_another(post: Post) -> None:
    await post.emit()
    await post.purse.database.write(lambda tx: deliveries.take_due(tx, post.purse.moment, limit=10))
    assert await post.sender.send_due() == 0
    post.purse.moment += deliveries.LEASE
    assert await post.sender.send_due() == 1


async def test_an_event_is_told_once_and_only_to_those_who_asked_for_it(post: Post) -> None:
    for _ in range(3):
        await post.emit("cap.reached", event_id="cap-1")
    await post.purse.database.write(lambda tx: tx.execute("UPDATE webhooks SET events = 'image.failed'"))
    await post.emit("image.succeeded")
    assert [line.event_type for line in await post.log()] == ["cap.reached"]
    other = await new_purse(post.purse.database, 0, "other@example.org")
    with pytest.raises(NotFound):
        await post.purse.database.read(
            lambda tx: deliveries.of_webhook(tx, other.account_id, post.webhook.id, limit=1, offset=0)
        )


async def test_old_lines_of_the_log_are_cleared_away_and_waiting_ones_never(post: Post) -> None:
    await post.emit()
    await post.sender.send_due()
    await post.emit()
    post.purse.moment += deliveries.KEPT_FOR + timedelta(days=1)
    await post.sender.forget_old()
    assert [line.status for line in await post.log()] == ["waiting"]


async def test_an_account_has_only_so_many(post: Post) -> None:
    def another(tx: Any) -> Webhook:
        return endpoints.create(tx, post.purse.account_id, "https://files.test/", EVENT_TYPES, post.purse.moment)

    for _ in range(endpoints.MOST_PER_ACCOUNT - 1):
        await post.purse.database.write(another)
    with pytest.raises(InvalidRequest, match="can have"):
        await post.purse.database.write(another)
