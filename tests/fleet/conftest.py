"""Two servers behind a plain round-robin proxy, in the place of the one server that other tests speak to.

Each has its own connections, engine, queue and caches, on one PostgreSQL and one S3; they share only the script of
the built-in model.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.peers.proxy import RoundRobin
from tests.service import Service, Stage, free_port, listening, one_server, used


@pytest.fixture
async def service(tmp_path: Path, postgresql_url: str, s3_env: dict[str, str]) -> AsyncIterator[Service]:
    port, stage = free_port(), Stage()
    env = s3_env | {"LIMNER_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    async with AsyncExitStack() as stack:
        servers = {free_port(): tmp_path / name for name in ("one", "two")}
        services = [
            await stack.enter_async_context(one_server(data_dir, postgresql_url, own_port, stage, env))
            for own_port, data_dir in servers.items()
        ]
        proxy = RoundRobin([f"http://127.0.0.1:{own_port}" for own_port in servers])
        stack.push_async_callback(proxy.close)
        await stack.enter_async_context(listening(proxy, port))
        yield await stack.enter_async_context(used(services[0], f"http://127.0.0.1:{port}", stage, 100))
        assert abs(sum(proxy.taken.values()) - 2 * min(proxy.taken.values())) <= 1, "it was not in turn"


@pytest.fixture
async def any_service(service: Service) -> Service:
    return service
