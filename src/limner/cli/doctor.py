"""`limner doctor`: looks at everything a server stands on, and says what to do about what is wrong."""

import asyncio
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import click
import httpx2

from limner.blobs.open import open_blobs
from limner.catalog.entries import BadCatalog, load
from limner.cli.contacts import probe_contacts
from limner.cli.output import json_option, print_json
from limner.cli.probes import Finding, ask, probe_providers
from limner.cli.settings import similar
from limner.config import BadConfiguration, Config
from limner.db.check import check as check_database
from limner.db.engine import open_database
from limner.db.migrate import REVISIONS, current_revision
from limner.db.types import now
from limner.issuers.base import Issuer, NotVouched, Question
from limner.web.sign_in_with import callback_path

LOW_DISK_BYTES = 1024**3
STORE_SECONDS = 30


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check the configuration and what it points at; exits 1 when something needs mending."""
    findings = asyncio.run(_examine())
    healthy = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": healthy, "checks": [_data(finding) for finding in findings]})
    else:
        for finding in findings:
            _print(finding)
    sys.exit(0 if healthy else 1)


async def _examine() -> list[Finding]:
    try:
        config = Config.from_env()
    except BadConfiguration as problem:
        return [Finding("configuration", str(problem), ok=False, advice="Correct that variable.")]
    checks: list[Callable[[Config], Awaitable[list[Finding]]]] = [
        _database,
        _blobs,
        _disk,
        _port,
        _catalog,
        probe_providers,
        probe_contacts,
        _issuers,
    ]
    found = [Finding("configuration", f"read; the data is in {config.data_dir}"), *_unknown(config)]
    for check in checks:
        found += await check(config)
    return found


def _unknown(config: Config) -> list[Finding]:
    meant = {name: similar(name) for name in config.unknown}
    return [
        Finding(
            "configuration",
            f"{name} is not a setting",
            ok=False,
            advice=f"Did you mean {nearest}?" if nearest else "Remove it, or correct its name.",
        )
        for name, nearest in meant.items()
    ]


async def _database(config: Config) -> list[Finding]:
    kind = "SQLite" if config.is_sqlite else "PostgreSQL"
    try:
        revision = await asyncio.to_thread(current_revision, config.database_url)
        if revision is None:
            return [Finding("database", f"{kind}, not made yet; the first start makes it")]
        database = await open_database(config.database_url, connections=1, busy_seconds=5)
    except OSError as problem:
        return [Finding("database", str(problem), ok=False, advice="Check LIMNER_DATABASE_URL and what it names.")]
    try:
        await check_database(database)
    except OSError as problem:
        return [Finding("database", str(problem), ok=False, advice="Another program holds it, or its disk is full.")]
    finally:
        await database.close()
    return [Finding("database", f"{kind}, can be read and written"), _schema(revision)]


def _schema(revision: str) -> Finding:
    if revision == REVISIONS[-1]:
        return Finding("schema", f"up to date ({revision})")
    if revision in REVISIONS:
        return Finding("schema", f"at {revision}; the next start brings it to {REVISIONS[-1]}")
    return Finding("schema", f"{revision} is of a newer version", ok=False, advice="Run that newer version of Limner.")


async def _blobs(config: Config) -> list[Finding]:
    advice = "Check LIMNER_BLOBS_URL, LIMNER_BLOBS_ENDPOINT and the credentials."
    try:
        blobs = open_blobs(config.blobs_url, endpoint=config.blobs_endpoint)
    except (OSError, ValueError) as problem:
        return [Finding("pictures", str(problem), ok=False, advice=advice)]
    try:
        await asyncio.wait_for(blobs.check(), STORE_SECONDS)
    except (OSError, TimeoutError) as problem:
        return [Finding("pictures", str(problem) or "the store does not answer", ok=False, advice=advice)]
    finally:
        await blobs.close()
    return [Finding("pictures", f"can be stored in {config.blobs_url}")]


async def _disk(config: Config) -> list[Finding]:
    free = shutil.disk_usage(_existing(config.data_dir)).free
    advice = "Make room there, or move LIMNER_DATA_DIR."
    return [Finding("disk", f"{free / 1024**3:.1f} GiB free", ok=free >= LOW_DISK_BYTES, advice=advice)]


async def _port(config: Config) -> list[Finding]:
    where = f"{config.host} port {config.port}"
    if await _is_limner(config):
        return [Finding("port", f"a Limner server answers on {where}")]
    try:
        socket.create_server((config.host, config.port)).close()
    except OSError as problem:
        advice = "Choose another with LIMNER_PORT, or stop what uses it."
        return [Finding("port", f"{where}: {problem.strerror}", ok=False, advice=advice)]
    return [Finding("port", f"{where} is free")]


async def _is_limner(config: Config) -> bool:
    host = f"[{config.host}]" if ":" in config.host else config.host
    try:
        answer = await ask(f"http://{host}:{config.port}/healthz", {})
    except httpx2.HTTPError:
        return False
    return answer.status_code == 200 and "x-request-id" in answer.headers


async def _catalog(config: Config) -> list[Finding]:
    try:
        models = load(config.catalog_path)
    except BadCatalog as problem:
        return [Finding("catalogue", str(problem), ok=False, advice="Correct the file that LIMNER_CATALOG names.")]
    return [Finding("catalogue", f"{len(models)} models known")]


async def _issuers(config: Config) -> list[Finding]:
    """Whether each can be asked; what it will answer, only a person finds out."""
    if not config.issuers:
        return []
    from limner.issuers.open import open_issuers  # loads signatures

    async with open_issuers(config.issuers, now) as issuers:
        return [await _issuer(config, issuer) for issuer in issuers]


async def _issuer(config: Config, issuer: Issuer) -> Finding:
    address = f"{config.public_url}{callback_path(issuer.id)}"
    try:
        await issuer.question_url(Question("", "", "", address))
    except NotVouched as problem:
        advice = "Check the issuer's address, and that this machine reaches it."
        return Finding(f"sign-in {issuer.id}", f"{issuer.issuer}: {problem}", ok=False, advice=advice)
    return Finding(f"sign-in {issuer.id}", f"{issuer.issuer} can be asked; register {address} there")


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _data(finding: Finding) -> dict[str, str | bool | None]:
    advice = None if finding.ok else finding.advice
    return {"check": finding.check, "ok": finding.ok, "says": finding.says, "advice": advice}


def _print(finding: Finding) -> None:
    mark = click.style("ok     ", fg="green") if finding.ok else click.style("problem", fg="red")
    click.echo(f"{mark}  {finding.check:<14} {finding.says}")
    if not finding.ok:
        click.echo(f"{'':25}{finding.advice}")
