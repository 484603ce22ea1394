"""`limner keys`: make, list, rotate and revoke API keys."""

from datetime import datetime, timedelta
from typing import Any, get_args

import click

from limner.accounts import accounts, audit_log
from limner.accounts import keys as api_keys
from limner.accounts.keys import ApiKey, NewKey
from limner.accounts.principal import DEFAULT_SCOPES
from limner.cli import storage
from limner.cli.moments import Expiry, Span
from limner.cli.output import iso, json_option, print_facts, print_json, print_table
from limner.credits import caps
from limner.credits.caps import Cap, Period
from limner.db.base import Transaction
from limner.db.types import now
from limner.errors import NotFound


@click.group()
def keys() -> None:
    """Make, list, rotate and revoke API keys."""


class SpendCap(click.ParamType[tuple[int, Period]]):
    """`500/month`, `20/day`, `1000` (in total)."""

    name = "N/PERIOD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, Period]:
        number, _, word = str(value).partition("/")
        period = next((each for each in get_args(Period) if each == (word or "total")), None)
        if period is None or not number.isascii() or not number.isdigit():
            self.fail(f"'{value}' must look like 500/month, with day, week, month or total.", param, ctx)
        return int(number), period


@keys.command()
@click.option("--account", "email", required=True, metavar="EMAIL", help="Whose key it is.")
@click.option("--name", default="API key", show_default=True, help="What lists call it.")
@click.option("--scope", "scopes", multiple=True, help="Repeat it, or separate by commas; default: all but keys:write.")
@click.option("--cap", type=SpendCap(), help="Most credits it may spend: 500/month, 20/day, 1000/total.")
@click.option("--expires", type=Expiry(), help="When it ends: 30d, 12h or a date.")
@click.option("--model", "models", multiple=True, metavar="ID", help="A model it may use; repeat it. Default: all.")
@click.option("--test", is_flag=True, help="A test key: only the built-in model, never spends.")
@json_option
def create(
    email: str,
    name: str,
    scopes: tuple[str, ...],
    cap: tuple[int, Period] | None,
    expires: datetime | None,
    models: tuple[str, ...],
    test: bool,
    as_json: bool,
) -> None:
    """Make an API key. Only its secret is printed, once."""
    words = [word.strip() for scope in scopes for word in scope.split(",") if word.strip()]
    new = NewKey(
        name=name,
        scopes=api_keys.parse_scopes(words) if words else DEFAULT_SCOPES,
        models=models or None,
        expires_at=expires,
        is_test=test,
    )

    def make(tx: Transaction) -> tuple[ApiKey, str]:
        account_id = accounts.id_by_email(tx, email)
        key, secret = api_keys.create(tx, account_id, new, now())
        audit_log.note(tx, storage.ACTOR, "create key", now(), account_id=account_id, target_id=key.id)
        if cap is not None:
            caps.put(tx, account_id, key.id, limit=cap[0], period=cap[1], now=now())
        return key, secret

    key, secret = storage.write(make)
    if as_json:
        print_json({"id": key.id, "name": key.name, "key": secret})
        return
    click.echo(secret)
    click.echo(f"Key {key.id} for {email}. It is not shown again.", err=True)


@keys.command("list")
@click.option("--account", "email", metavar="EMAIL", help="Only this account's keys.")
@json_option
def list_keys(email: str | None, as_json: bool) -> None:
    """List API keys, newest first."""

    def look(tx: Transaction) -> list[tuple[str, ApiKey, Cap | None]]:
        owners = accounts.emails(tx) if email is None else {accounts.id_by_email(tx, email): email}
        return [
            (owner, key, caps.of_owner(tx, key.id, now()))
            for account_id, owner in owners.items()
            for key in api_keys.of_account(tx, account_id)
        ]

    found = storage.read(look)
    if as_json:
        print_json({"keys": [_data(*each) for each in found]})
        return
    headings = ["id", "account", "name", "key", "scopes", "cap", "state", "last used"]
    print_table(headings, [_line(*each) for each in found])


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option(
    "--overlap", type=Span(), default="24h", show_default=True, help="How long the old secret works on: 2d, 12h."
)
@json_option
def rotate(key_id: str, overlap: timedelta, as_json: bool) -> None:
    """Give the key with this ID a new secret. Only the secret is printed, once."""

    def renew(tx: Transaction) -> tuple[ApiKey, str]:
        account_id = _owner(tx, key_id)
        audit_log.note(tx, storage.ACTOR, "rotate key", now(), account_id=account_id, target_id=key_id)
        return api_keys.rotate(tx, account_id, key_id, now(), overlap=overlap)

    key, secret = storage.write(renew)
    if as_json:
        print_json({"id": key.id, "name": key.name, "key": secret, "oldWorksUntil": iso(now() + overlap)})
        return
    click.echo(secret)
    click.echo(f"Key {key.id}: the old secret works until {iso(now() + overlap)}.", err=True)


@keys.command()
@click.argument("key_id", metavar="ID")
@json_option
def revoke(key_id: str, as_json: bool) -> None:
    """End the key with this ID, and every key it made, within a second everywhere."""

    def end(tx: Transaction) -> None:
        account_id = _owner(tx, key_id)
        api_keys.revoke(tx, account_id, key_id, now())
        audit_log.note(tx, storage.ACTOR, "revoke key", now(), account_id=account_id, target_id=key_id)

    storage.write(end)
    print_facts({"id": key_id, "revoked": True}, as_json=as_json)


def _owner(tx: Transaction, key_id: str) -> str:
    account_id = tx.scalar("SELECT account_id FROM api_keys WHERE id = :id", id=key_id)
    if account_id is None:
        raise NotFound(f"There is no API key with the id {key_id}; limner keys list shows the ids.")
    return account_id


def _state(key: ApiKey) -> str:
    if key.revoked_at is not None:
        return "revoked"
    return "expired" if key.expires_at is not None and key.expires_at <= now() else "active"


def _line(owner: str, key: ApiKey, cap: Cap | None) -> list[Any]:
    left = None if cap is None else f"{cap.remaining} of {cap.limit}/{cap.period}"
    return [key.id, owner, key.name, key.shown, ",".join(sorted(key.scopes)), left, _state(key), key.last_used_at]


def _data(owner: str, key: ApiKey, cap: Cap | None) -> dict[str, Any]:
    return {
        "id": key.id,
        "account": owner,
        "name": key.name,
        "key": key.shown,
        "scopes": sorted(key.scopes),
        "models": key.models,
        "test": key.is_test,
        "state": _state(key),
        "cap": None
        if cap is None
        else {"limit": cap.limit, "period": cap.period, "remaining": cap.remaining, "resetsAt": iso(cap.resets_at)},
        "expiresAt": iso(key.expires_at),
        "revokedAt": iso(key.revoked_at),
        "lastUsedAt": iso(key.last_used_at),
        "createdAt": iso(key.created_at),
    }
