"""`limner migrate` and `limner audit`: what an operator runs beside the server."""

import asyncio
import sys

import click

from limner.blobs.open import open_blobs
from limner.cli import storage
from limner.cli.output import json_option, print_facts, print_json, print_table
from limner.config import BadConfiguration, Config
from limner.credits.audit import Counts, Problem
from limner.db.migrate import REVISIONS, current_revision
from limner.images import audit as whole_audit


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Bring the database up to date. Safe to repeat, and from any number of processes."""
    config = Config.from_env()
    before = current_revision(config.database_url)
    changed = storage.bring_up_to_date(config)
    if as_json:
        print_json({"changed": changed, "from": before, "to": REVISIONS[-1]})
    elif changed:
        click.echo(f"Upgraded the database from {before or 'nothing'} to {REVISIONS[-1]}.")
    else:
        click.echo(f"The database is up to date ({REVISIONS[-1]}).")


@click.command()
@json_option
def audit(as_json: bool) -> None:
    """Prove that transactions, holds, balances, caps and pictures agree; exits 1 when they do not."""
    counts, problems = asyncio.run(_run(Config.from_env()))
    looked_at = {
        "accounts": counts.accounts,
        "transactions": counts.transactions,
        "holds": counts.holds,
        "openHolds": counts.open_holds,
        "generations": counts.generations,
    }
    if as_json:
        found = [{"check": p.check, "id": p.id, "expected": p.expected, "found": p.found} for p in problems]
        print_json({"ok": not problems, "checked": looked_at, "problems": found})
    else:
        print_facts(looked_at, as_json=False)
        _print_problems(problems)
    sys.exit(1 if problems else 0)


async def _run(config: Config) -> tuple[Counts, list[Problem]]:
    try:
        blobs = open_blobs(config.blobs_url, endpoint=config.blobs_endpoint)
    except ValueError as problem:
        raise BadConfiguration(f"LIMNER_BLOBS_URL cannot be used: {problem}.") from None
    try:
        async with storage.opened(config) as database:
            return await whole_audit.run(database, blobs)
    finally:
        await blobs.close()


def _print_problems(problems: list[Problem]) -> None:
    if not problems:
        click.echo("Everything agrees.")
        return
    click.echo(f"\n{len(problems)} {'problem' if len(problems) == 1 else 'problems'}:")
    print_table(["check", "id", "expected", "found"], [[p.check, p.id, p.expected, p.found] for p in problems])
