"""Runs Alembic on either database, in one transaction that no second process can be in."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import OperationalError

from limner.db.base import DatabaseUnavailable
from limner.db.sqlite_connection import connect_writer
from limner.db.url import sqlite_path

_MIGRATIONS = Path(__file__).parent / "migrations"
_BUSY_SECONDS = 60
_ADVISORY_LOCK = 0x6C696D6E6572  # "limner"


def upgrade(url: str) -> None:
    with schema_transaction(url) as connection:
        command.upgrade(alembic_config(connection), "head")


def alembic_config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s")
    return config


@contextmanager
def schema_transaction(url: str) -> Generator[Connection]:
    """A transaction for changing the schema; a second one waits until this one has ended."""
    path = sqlite_path(url)
    engine = _postgres_engine(url) if path is None else _sqlite_engine(path)
    try:
        with engine.begin() as connection:
            if path is None:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield connection
            if path is not None:
                _check_references(connection)
    except OperationalError as error:  # of the server or the disk; a mistake in a step is another class
        raise DatabaseUnavailable(f"the database was not upgraded: {error.orig}") from error
    finally:
        engine.dispose()


def _sqlite_engine(path: Path) -> Engine:
    engine = create_engine(
        "sqlite://", creator=lambda: connect_writer(path, busy_seconds=_BUSY_SECONDS), poolclass=NullPool
    )

    @event.listens_for(engine, "begin")
    def _(connection: Connection) -> None:  # pyright: ignore[reportUnusedFunction]
        # A table that is copied is dropped for a moment; what refers to it is checked at the end instead.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _check_references(connection: Connection) -> None:
    broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise RuntimeError(f"the upgrade would break a reference: {broken}; nothing was changed")


def _postgres_engine(url: str) -> Engine:
    import psycopg

    from limner.db.postgres_connection import conninfo_of

    conninfo = conninfo_of(url)
    return create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(conninfo), poolclass=NullPool)
