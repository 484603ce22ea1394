"""From every earlier schema, with data, to the newest one on both databases: nothing is lost, and all of it works."""

from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from tests.db import earlier
from tests.service import serving

from limner.accounts import keys
from limner.credits import audit, ledger
from limner.db.base import Transaction
from limner.db.engine import open_database
from limner.db.migrate import REVISIONS, current_revision, migrate
from limner.db.tables import metadata
from limner.db.types import now
from limner.db.upgrade import alembic_config, schema_transaction
from limner.images import generations

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def at(url: str, revision: str) -> dict[str, list[dict[str, object]]]:
    """A database as a server of that step left it; what is in it."""
    for step in REVISIONS[: REVISIONS.index(revision) + 1]:
        with schema_transaction(url) as connection:
            command.upgrade(alembic_config(connection), step)
            earlier.fill(connection)
    with schema_transaction(url) as connection:
        return earlier.everything(connection)


@pytest.mark.parametrize("revision", REVISIONS)
async def test_an_upgrade_keeps_every_row_and_the_books(empty_database_url: str, revision: str) -> None:
    before = at(empty_database_url, revision)
    assert all(before.values())
    assert migrate(empty_database_url) == (revision != REVISIONS[-1])
    assert current_revision(empty_database_url) == REVISIONS[-1]
    with schema_transaction(empty_database_url) as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        after = earlier.everything(connection)
    for table in before.keys() & after.keys():
        kept = before[table][0].keys() & after[table][0].keys()
        assert narrowed(after[table], kept) == narrowed(before[table], kept)
    database = await open_database(empty_database_url)
    try:
        await database.write(use)
        assert await database.read_slowly(audit.problems) == []
    finally:
        await database.close()


def narrowed(rows: list[dict[str, object]], columns: set[str]) -> list[str]:
    return sorted(repr(sorted((name, row[name]) for name in columns)) for row in rows)


def use(tx: Transaction) -> None:
    """What every server does with them: the key opens, the balance stands, pictures and failures are read."""
    principal = keys.principal_of(tx, earlier.SECRET, now() + timedelta(seconds=1))
    assert principal is not None
    assert ledger.balance(tx, principal.account_id).available == 97
    made = generations.get(tx, earlier.MADE, account_id=principal.account_id)
    refused = generations.get(tx, earlier.REFUSED, account_id=principal.account_id)
    assert made is not None
    assert refused is not None
    assert (made.status, made.charged, refused.status) == ("succeeded", 3, "failed")


async def test_a_server_starts_on_the_oldest_schema_and_serves_what_is_there(
    tmp_path: Path, empty_database_url: str
) -> None:
    at(empty_database_url, REVISIONS[0])
    async with serving(tmp_path, empty_database_url) as service, service.client(earlier.SECRET) as http:
        await service.services.blobs.put(f"images/{earlier.MADE}/original/a.png", b"bytes", "image/png")
        listed = (await http.get("/api/v1/images")).json()["images"]
        assert {image["id"] for image in listed} == {earlier.MADE, earlier.REFUSED}
        made = await http.post("/api/v1/images/generate", json={"prompt": "another", "includeBytes": False})
        assert made.json()["credits"] == {"charged": 1, "remaining": 96}
        assert await service.audit() == []
