"""`limner accounts` and `limner credits`: who may use this server, and with how many credits."""

import click

from limner.accounts import accounts as owners
from limner.accounts import audit_log, sign_in
from limner.cli import storage
from limner.cli.output import json_option, print_facts, print_json
from limner.config import Config
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import now


@click.group()
def accounts() -> None:
    """Make accounts and let people in."""


@accounts.command()
@click.argument("email")
@click.option("--credits", "opening", type=click.IntRange(min=0), help="Opening balance, instead of the usual credits.")
@click.option("--admin", is_flag=True, help="May administer the server.")
@json_option
def create(email: str, opening: int | None, admin: bool, as_json: bool) -> None:
    """Make an account for EMAIL."""
    given = Config.from_env().sign_up_credits if opening is None else opening

    def make(tx: Transaction) -> str:
        account_id, user_id = owners.create(tx, email, now(), is_admin=admin, verified=True)
        audit_log.note(tx, storage.ACTOR, "create account", now(), account_id=account_id, target_id=user_id)
        if given:
            why = "Sign-up credits" if opening is None else "Opening balance"
            entry = ledger.Entry(why, unique_key=f"sign-up:{account_id}")  # so that signing in gives nothing more
            ledger.add(tx, account_id, given, "grant", entry, now())
        return account_id

    account_id = storage.write(make)
    print_facts(
        {"id": account_id, "email": owners.normal_email(email), "admin": admin, "creditBalance": given}, as_json=as_json
    )


@accounts.command("sign-in-link")
@click.argument("email")
@json_option
def sign_in_link(email: str, as_json: bool) -> None:
    """Print a link that signs EMAIL in once, within 24 hours."""

    def make(tx: Transaction) -> str:
        audit_log.note(tx, storage.ACTOR, "make sign-in link", now(), account_id=owners.id_by_email(tx, email))
        return sign_in.sign_in_link(tx, email, now())

    path = storage.write(make)
    link = f"{Config.from_env().public_url}{path}"
    if as_json:
        print_json({"email": owners.normal_email(email), "link": link})
    else:
        click.echo(link)


@click.group()
def credits() -> None:
    """Give credits to an account."""


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
