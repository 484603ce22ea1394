"""What is over is forgotten, and nothing else."""

from datetime import timedelta

from tests.oauth.client import register
from tests.service import Service
from tests.web.browser import signed_in

from limner.accounts import connections, consents, oauth_clients
from limner.credits import caps
from limner.db.base import Transaction
from limner.db.types import now

TABLES = ("oauth_clients", "consents", "connections", "authorization_codes", "connection_tokens", "caps")


async def test_what_nobody_finished_is_forgotten_and_a_connection_stays(any_service: Service) -> None:
    used, idle = await register(any_service), await register(any_service)
    async with signed_in(any_service) as browser:
        tokens = await used.tokens(browser)
        await used.ask(browser)
        await used.code(browser, answer={"cap": "5"})
    await any_service.services.database.write(lambda tx: _sweep(tx, timedelta(days=2)))
    left = await any_service.services.database.read(_counts)
    assert left == dict(zip(TABLES, (1, 0, 1, 0, 1, 0), strict=True))
    assert (await used.refresh(tokens["refresh_token"])).status_code == 200
    assert (await idle.refresh("rt_x")).status_code == 401


async def test_a_cap_belongs_to_the_connection_it_was_set_for(any_service: Service) -> None:
    client = await register(any_service)
    async with signed_in(any_service) as browser:
        await client.redeem(await client.code(browser, answer={"cap": "5"}))
    database = any_service.services.database
    [line] = await database.read(lambda tx: connections.of_account(tx, any_service.account_id, now()))
    cap = await database.read(lambda tx: caps.of_owner(tx, line.id, now()))
    assert cap is not None
    assert (cap.limit, cap.period) == (5, "month")


def _sweep(tx: Transaction, ahead: timedelta) -> None:
    for each in (connections, oauth_clients, consents):
        each.sweep(tx, now() + ahead)


def _counts(tx: Transaction) -> dict[str, int]:
    return {table: tx.scalar(f"SELECT count(*) FROM {table}") for table in TABLES}
