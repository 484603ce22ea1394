"""`limner credits`: grants, codes that can be redeemed, and the reconciliation with Stripe."""

import asyncio
import re
from collections.abc import Iterator

import pytest
from tests.cli.terminal import Terminal
from tests.peers.stripe import SECRET_KEY, WEBHOOK_SECRET, StripePeer

from limner.accounts import accounts
from limner.app.services import open_shop
from limner.config import Config
from limner.db.engine import open_database
from limner.db.types import now


def test_a_code_is_made_listed_redeemed_and_revoked(terminal: Terminal) -> None:
    made = terminal.run("credits", "codes", "create", "50", "--uses", "3", "--description", "Conference")
    code = made.stdout.strip()
    assert re.fullmatch(r"([2-9A-HJ-NP-Z]{4}-){3}[2-9A-HJ-NP-Z]{4}", code)
    assert made.stdout == f"{code}\n"
    terminal.ok("accounts", "create", "ana@example.org", "--credits", "1")
    asyncio.run(redeem(terminal, "ana@example.org", code))
    (listed,) = terminal.run("credits", "codes", "list", "--json").json["codes"]
    assert (listed["credits"], listed["redeemed"], listed["usesLeft"], listed["state"]) == (50, 1, 2, "active")
    assert code not in terminal.ok("credits", "codes", "list")
    assert terminal.run("credits", "codes", "revoke", listed["id"], "--json").json["revoked"] is True
    assert terminal.run("credits", "codes", "list", "--json").json["codes"][0]["state"] == "revoked"
    with pytest.raises(Exception, match="unknown, used up or expired"):
        asyncio.run(redeem(terminal, "ana@example.org", code))
    assert "Everything agrees." in terminal.ok("audit")


def test_a_code_can_be_revoked_by_itself_and_an_unknown_one_cannot(terminal: Terminal) -> None:
    made = terminal.run("credits", "codes", "create", "5", "--expires", "30d", "--json").json
    assert terminal.run("credits", "codes", "revoke", made["code"].lower(), "--json").json["id"] == made["id"]
    unknown = terminal.run("credits", "codes", "revoke", "2222-2222-2222-2222")
    assert (unknown.code, unknown.stdout) == (1, "")
    assert terminal.run("credits", "codes", "create", "0").code == 2


def test_reconciling_needs_a_payment_supplier(terminal: Terminal) -> None:
    refused = terminal.run("credits", "reconcile")
    assert (refused.code, refused.stdout) == (2, "")
    assert "LIMNER_STRIPE_SECRET_KEY" in refused.stderr


def test_reconciling_makes_up_for_lost_messages_and_finds_credits_nobody_paid_for(
    selling: Terminal, stripe: StripePeer
) -> None:
    session = asyncio.run(checkout(selling, "ana@example.org"))
    stripe.pay(session)
    assert selling.run("credits", "reconcile", "--json").json == {"lookedAt": 1, "corrected": 1, "unproven": []}
    assert selling.run("credits", "reconcile", "--since", "1d", "--json").json["corrected"] == 0
    stripe.sales.clear()
    found = selling.run("credits", "reconcile", "--json")
    assert found.code == 1
    assert len(found.json["unproven"]) == 1
    assert selling.run("credits", "reconcile", "--since", "tomorrow").code == 2


@pytest.fixture
def stripe() -> Iterator[StripePeer]:
    with StripePeer() as peer:
        yield peer


@pytest.fixture
def selling(terminal: Terminal, stripe: StripePeer) -> Terminal:
    terminal.ok("accounts", "create", "ana@example.org", "--credits", "0")
    terminal.env |= {
        "LIMNER_STRIPE_SECRET_KEY": SECRET_KEY,
        "LIMNER_STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "LIMNER_STRIPE_BASE_URL": stripe.base_url,
    }
    return terminal


async def redeem(terminal: Terminal, email: str, code: str) -> None:
    config = Config.from_env(terminal.environment())
    database = await open_database(config.database_url)
    try:
        account_id = await database.read(lambda tx: accounts.id_by_email(tx, email))
        await open_shop(config, database, now).redeem(account_id, code)
    finally:
        await database.close()


async def checkout(terminal: Terminal, email: str) -> str:
    """The session of a checkout that somebody began."""
    config = Config.from_env(terminal.environment())
    database = await open_database(config.database_url)
    try:
        account_id = await database.read(lambda tx: accounts.id_by_email(tx, email))
        url = await open_shop(config, database, now).begin(account_id, "credits-500", email=email)
    finally:
        await database.close()
    return url.rpartition("/")[2]
