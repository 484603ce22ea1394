"""`limner credits`: grants, codes that can be redeemed, and the reconciliation with the payment supplier."""

import asyncio
import sys
from datetime import datetime
from typing import Any

import click

from limner.accounts import accounts as owners
from limner.accounts import audit_log
from limner.cli import storage
from limner.cli.moments import Expiry, Past
from limner.cli.output import iso, json_option, print_facts, print_json, print_table
from limner.config import BadConfiguration, Config
from limner.credits import codes as credit_codes
from limner.credits import ledger
from limner.credits.codes import Code
from limner.credits.shop import Reconciled
from limner.credits.words import in_words
from limner.db.base import Transaction
from limner.db.types import now


@click.group()
def credits() -> None:
    """Give credits to an account, make codes for some, and hold what was bought against Stripe."""


@credits.command()
@click.argument("email")
@click.argument("amount", type=click.IntRange(min=1), metavar="N")
@click.option("--reason", default="Granted by an administrator", show_default=True, help="What the ledger says.")
@json_option
def grant(email: str, amount: int, reason: str, as_json: bool) -> None:
    """Add N credits to the account of EMAIL."""

    def add(tx: Transaction) -> ledger.Balance:
        account_id = owners.id_by_email(tx, email)
        ledger.add(tx, account_id, amount, "grant", ledger.Entry(reason), now())
        detail = {"credits": amount, "why": reason}
        audit_log.note(tx, storage.ACTOR, "grant credits", now(), account_id=account_id, detail=detail)
        return ledger.balance(tx, account_id)

    balance = storage.write(add)
    print_facts(
        {"email": owners.normal_email(email), "granted": amount, "creditBalance": balance.available}, as_json=as_json
    )


@credits.command()
@click.option("--since", type=Past(), help="How far back: 30d, 12h or a date. Default: three days.")
@json_option
def reconcile(since: datetime | None, as_json: bool) -> None:
    """Hold the ledger against Stripe's books; exits 1 when credits were given for a payment Stripe does not know.

    What was paid, refunded or disputed and never heard of here is settled. Safe beside a running server, at any time.
    """
    config = Config.from_env()
    if config.stripe_secret_key is None:
        raise BadConfiguration("There is nothing to reconcile with: LIMNER_STRIPE_SECRET_KEY is not set.")
    outcome = asyncio.run(_reconcile(config, since))
    facts = {"lookedAt": outcome.looked_at, "corrected": outcome.corrected, "unproven": list(outcome.unproven)}
    if as_json:
        print_json(facts)
    else:
        print_facts({**facts, "unproven": ", ".join(outcome.unproven) or "none"}, as_json=False)
    sys.exit(1 if outcome.unproven else 0)


@credits.group()
def codes() -> None:
    """Codes that can be redeemed for credits on the billing page, once per account."""


@codes.command("create")
@click.argument("amount", type=click.IntRange(1, 10**9), metavar="N")
@click.option("--uses", type=click.IntRange(1, 10**6), default=1, show_default=True, help="For how many accounts.")
@click.option("--expires", type=Expiry(), help="When it ends: 30d, 12h or a date.")
@click.option("--description", default="Code redeemed", show_default=True, help="What the ledger says.")
@json_option
def create_code(amount: int, uses: int, expires: datetime | None, description: str, as_json: bool) -> None:
    """Make a code for N credits. Only the code is printed, once."""

    def make(tx: Transaction) -> tuple[str, str]:
        code_id, code = credit_codes.create(tx, amount, now(), uses=uses, description=description, expires_at=expires)
        detail = {"credits": amount, "uses": uses}
        audit_log.note(tx, storage.ACTOR, "create code", now(), target_id=code_id, detail=detail)
        return code_id, code

    code_id, code = storage.write(make)
    if as_json:
        print_json({"id": code_id, "code": code, "credits": amount, "uses": uses, "expiresAt": iso(expires)})
        return
    click.echo(code)
    click.echo(f"Code {code_id}: {in_words(amount)} each for {uses}. It is not shown again.", err=True)


@codes.command("list")
@json_option
def list_codes(as_json: bool) -> None:
    """List codes, newest first; the codes themselves are kept nowhere."""
    found = storage.read(credit_codes.all_made)
    if as_json:
        print_json({"codes": [_data(code) for code in found]})
        return
    headings = ["id", "credits", "redeemed", "uses left", "state", "expires", "description"]
    print_table(headings, [_line(code) for code in found])


@codes.command("revoke")
@click.argument("code", metavar="ID|CODE")
@json_option
def revoke_code(code: str, as_json: bool) -> None:
    """End a code at once. What was redeemed stays."""

    def end(tx: Transaction) -> str:
        code_id = credit_codes.revoke(tx, code, now())
        audit_log.note(tx, storage.ACTOR, "revoke code", now(), target_id=code_id)
        return code_id

    print_facts({"id": storage.write(end), "revoked": True}, as_json=as_json)


async def _reconcile(config: Config, since: datetime | None) -> Reconciled:
    from limner.app.services import open_shop  # the whole house: only for this command

    async with storage.opened(config) as database:
        return await open_shop(config, database, now).reconcile(since)


def _state(code: Code) -> str:
    if code.revoked_at is not None:
        return "revoked"
    if code.expires_at is not None and code.expires_at <= now():
        return "expired"
    return "active" if code.uses_left else "used up"


def _line(code: Code) -> list[Any]:
    return [code.id, code.credits, code.redeemed, code.uses_left, _state(code), iso(code.expires_at), code.description]


def _data(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "credits": code.credits,
        "redeemed": code.redeemed,
        "usesLeft": code.uses_left,
        "state": _state(code),
        "description": code.description,
        "expiresAt": iso(code.expires_at),
        "revokedAt": iso(code.revoked_at),
        "createdAt": iso(code.created_at),
    }
