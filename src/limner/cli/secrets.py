"""`limner secrets`: the secrets that links are signed with."""

import click

from limner.accounts import audit_log
from limner.cli import storage
from limner.cli.failures import CommandFailed
from limner.cli.output import iso, json_option, print_facts
from limner.config import Config
from limner.db.base import Transaction
from limner.db.types import now
from limner.images import secrets as signing


@click.group()
def secrets() -> None:
    """The secrets that links are signed with."""


@secrets.command()
@json_option
def rotate(as_json: bool) -> None:
    """Sign links with a new secret from now on; those that are out work on until they expire, a day at most."""
    if Config.from_env().secret_keys:
        raise CommandFailed("LIMNER_SECRET_KEYS is set, so links are signed with its first key: put a new one there.")

    def renew(tx: Transaction) -> None:
        signing.rotate(tx, "links", now())
        audit_log.note(tx, storage.ACTOR, "rotate signing secret", now())

    storage.write(renew)
    print_facts({"rotated": "links", "oldWorksUntil": iso(now() + signing.RETIRED_FOR)}, as_json=as_json)
