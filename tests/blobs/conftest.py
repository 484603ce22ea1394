"""One store of every kind, so that one suite runs on all of them."""

import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.object_store import CREDENTIALS, ObjectStore, object_store

from limner.blobs.base import Blobs
from limner.blobs.open import open_blobs


@pytest.fixture(scope="session")
def s3() -> Iterator[ObjectStore]:
    with object_store() as server:
        server.make_bucket("pictures")
        yield server


@pytest.fixture(params=["disk", "memory", "s3"])
async def blobs(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Blobs]:
    match request.param:
        case "disk":
            store = open_blobs(str(tmp_path / "blobs"))
        case "memory":
            store = open_blobs("memory://")
        case _:
            for name, value in CREDENTIALS.items():
                monkeypatch.setenv(name, value)
            server = request.getfixturevalue("s3")
            store = open_blobs(f"s3://pictures/{secrets.token_hex(8)}/limner", endpoint=server.endpoint)
    yield store
    await store.close()
