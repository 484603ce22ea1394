"""What every test stands on: no network but this machine, and the fixtures for databases."""

import pytest
from tests.databases import (  # noqa: F401
    _postgres_template,
    _sqlite_template,
    database,
    database_url,
    empty_database_url,
    empty_postgresql_url,
    empty_sqlite_url,
    other_empty_postgresql_url,
    postgres_server,
    postgresql_url,
    sqlite_url,
)
from tests.node_tools import node  # noqa: F401
from tests.service import _object_store, any_service, s3_env, service  # noqa: F401


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.option.allow_hosts = "127.0.0.1,::1,localhost"
    config.option.allow_unix_socket = True
