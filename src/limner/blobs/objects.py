"""Blobs in a cloud's object store (S3 and compatible servers, GCS, Azure), or in memory, through obstore."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import AzureStore, GCSStore, MemoryStore, S3Store

from limner.blobs.base import BlobInfo, BlobMissing
from limner.blobs.keys import checked, is_key, split_prefix

if TYPE_CHECKING:
    from obstore import Attributes, GetOptions, ObjectMeta
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, ObjectStore, RetryConfig, S3Config

PIECE_BYTES = 4 * 1024 * 1024
"""Whole pieces rather than one long response: a slow reader can then never run into the client's time limit."""

_LISTED_AT_ONCE = 500
_PROBE = "~check"
_CLIENT: "ClientConfig" = {"connect_timeout": timedelta(seconds=5), "timeout": timedelta(seconds=60)}
_RETRIES: "RetryConfig" = {"max_retries": 3, "retry_timeout": timedelta(seconds=20)}


def open_objects(url: str, endpoint: str | None) -> "ObjectBlobs":
    """Credentials come from where the cloud's own tools look: its variables, its files, the machine's role.

    Plain http is spoken only to an endpoint that says so. ValueError for a URL or endpoint that is none.
    """
    scheme, _, place = url.partition("://")
    if scheme == "memory":
        return ObjectBlobs(MemoryStore(), url)
    if not place.strip("/"):
        raise ValueError(f"{url} names no bucket")
    try:
        return ObjectBlobs(_store(scheme, url.rstrip("/"), endpoint and _checked_endpoint(endpoint)), url)
    except BaseError as error:
        raise ValueError(f"{url} cannot be used as a blob store: {_reason(error)}") from error


class ObjectBlobs:
    """A put is one request, so it is all or nothing by the store's own promise."""

    def __init__(self, store: "ObjectStore", name: str) -> None:
        self._store = store
        self._name = name

    async def put(self, key: str, data: bytes, media_type: str) -> None:
        await self._put(checked(key), data, media_type)

    async def get(self, key: str) -> bytes:
        return await self._get(checked(key), {})

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        meta = await self._head(checked(key))
        if meta is None:
            raise BlobMissing(key)
        stop = meta["size"] if end is None else min(end, meta["size"])
        while start < stop:
            until = min(start + PIECE_BYTES, stop)
            yield await self._get(key, {"range": (start, until), "if_match": meta["e_tag"]})
            start = until

    async def size_bytes(self, key: str) -> int | None:
        meta = await self._head(checked(key))
        return None if meta is None else meta["size"]

    def path(self, key: str) -> str | None:
        checked(key)
        return None

    async def delete(self, key: str) -> None:
        await self._delete(checked(key))

    async def keys(self, prefix: str) -> AsyncIterator[BlobInfo]:
        directory, _ = split_prefix(prefix)
        pages = obstore.list(self._store, directory, chunk_size=_LISTED_AT_ONCE)  # pyright: ignore[reportUnknownMemberType]  (its other overload needs Arrow)
        try:
            async for page in pages:
                for meta in page:
                    if meta["path"].startswith(prefix) and is_key(meta["path"]):  # other names are not ours
                        yield BlobInfo(meta["path"], meta["size"], meta["last_modified"])
        except (BaseError, FileNotFoundError) as error:
            raise self._failed(error) from error

    async def check(self) -> None:
        await self._put(_PROBE, b"can this be written?", "text/plain")
        await self._delete(_PROBE)

    async def close(self) -> None:
        """Connections are the library's own and close with it."""

    async def _put(self, key: str, data: bytes, media_type: str) -> None:
        kind: Attributes = {"Content-Type": media_type}
        try:
            await obstore.put_async(self._store, key, data, attributes=kind, use_multipart=False)
        except (BaseError, FileNotFoundError) as error:  # what a put does not find is the bucket
            raise self._failed(error) from error

    async def _get(self, key: str, options: "GetOptions") -> bytes:
        try:
            result = await obstore.get_async(self._store, key, options=options)
            return bytes(await result.bytes_async())
        except FileNotFoundError:
            raise BlobMissing(key) from None
        except BaseError as error:
            raise self._failed(error) from error

    async def _head(self, key: str) -> "ObjectMeta | None":
        try:
            return await obstore.head_async(self._store, key)
        except FileNotFoundError:
            return None
        except BaseError as error:
            raise self._failed(error) from error

    async def _delete(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return
        except BaseError as error:
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> OSError:
        return OSError(f"The blob store {self._name} failed: {_reason(error)}")


def _store(scheme: str, url: str, endpoint: str | None) -> "ObjectStore":
    client: ClientConfig = {**_CLIENT, "allow_http": (endpoint or "").startswith("http://")}
    if scheme == "gs":
        google: GCSConfig = {"base_url": endpoint} if endpoint else {}
        return GCSStore.from_url(url, config=google, client_options=client, retry_config=_RETRIES)
    if scheme == "az":
        azure: AzureConfig = {"endpoint": endpoint} if endpoint else {}
        return AzureStore.from_url(url, config=azure, client_options=client, retry_config=_RETRIES)
    # not every compatible server has the bulk delete, and we delete one at a time
    amazon: S3Config = {"disable_bulk_delete": True}
    if endpoint:
        amazon["endpoint"] = endpoint
    return S3Store.from_url(url, config=amazon, client_options=client, retry_config=_RETRIES)


def _checked_endpoint(endpoint: str) -> str:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{endpoint} is not the http(s) address of an object store")
    return endpoint.rstrip("/")


def _reason(error: Exception) -> str:
    """The first line of what the library says; the rest is its internals."""
    return str(error).partition("\n")[0].strip()[:300]
