"""`limner accounts`: who may use this server."""

import click

from limner.accounts import accounts as owners
from limner.accounts import administration, audit_log, sign_in
from limner.accounts.administration import Overview
from limner.cli import storage
from limner.cli.output import iso, json_option, print_facts, print_json, print_table
from limner.config import Config
from limner.credits import ledger
from limner.db.base import Transaction
from limner.db.types import now

MOST_LISTED = 10_000


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


@accounts.command("list")
@click.option("--search", default="", metavar="TEXT", help="Only those with this in their name or address.")
@json_option
def list_accounts(search: str, as_json: bool) -> None:
    """List accounts with their balances, newest first."""
    found = storage.read(lambda tx: list(administration.search(tx, search, limit=MOST_LISTED)))
    if as_json:
        print_json({"accounts": [_data(account) for account in found]})
        return
    rows = [[a.id, a.email, a.status, a.available, a.held, a.images_total, a.created_at] for a in found]
    print_table(["id", "email", "status", "credits", "held", "images", "since"], rows)


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


def _data(account: Overview) -> dict[str, object]:
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "status": account.status,
        "statusReason": account.status_reason,
        "creditBalance": account.available,
        "creditsHeld": account.held,
        "imagesTotal": account.images_total,
        "createdAt": iso(account.created_at),
    }
