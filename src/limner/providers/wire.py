"""The one way out to the suppliers: a shared pool, one deadline for an order, bounded answers, no hidden retries."""

import asyncio
import binascii
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpcore2
import httpx2
import orjson
import pybase64

from limner import __version__
from limner.errors import UpstreamTimeout
from limner.providers import failures
from limner.providers.base import Unbilled
from limner.providers.connections import CONNECT_SECONDS, FAILURES, NEVER_LEFT, SupplierTransport

MAX_ANSWER_BYTES = 64 * 1024 * 1024

Json = dict[str, Any]
Files = Sequence[tuple[str, tuple[str, bytes, str]]]
"""Multipart files: (field, (file name, bytes, media type))."""


def open_pool() -> httpx2.AsyncClient:
    """The pool every supplier shares. It takes no proxy or certificate from the environment, follows no redirect
    (a key must not travel on) and sends nothing twice (a paid order would be paid twice)."""
    return httpx2.AsyncClient(
        transport=SupplierTransport(),
        timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
        follow_redirects=False,
        trust_env=False,
        headers={"user-agent": f"limner/{__version__}"},
    )


@asynccontextmanager
async def deadline(seconds: float) -> AsyncGenerator[None]:
    """All of an order, from connecting to the last byte; `UpstreamTimeout` when it is over."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise UpstreamTimeout from error


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `ok` is about the status only: some suppliers refuse with HTTP 200."""

    supplier: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Json:
        """The JSON object in the body; `NoImage` where a supplier that said 200 sent anything else."""
        return parse(self.body)

    def error_json(self) -> Json:
        """The same from a refusal, where an HTML page of some proxy is as good as nothing."""
        try:
            return table(orjson.loads(self.body))
        except orjson.JSONDecodeError:
            return {}

    @property
    def asked_pause_seconds(self) -> float | None:
        return failures.asked_pause_seconds(self.headers)

    def failure(self, words: str = "") -> Exception:
        """What the status stands for, where the supplier said nothing more exact."""
        return failures.by_status(self.supplier, self.status, words, self.asked_pause_seconds)


class Reply:
    """An answer whose head has arrived and whose body has not."""

    def __init__(self, supplier: str, response: httpx2.Response) -> None:
        self._supplier = supplier
        self._response = response

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    @property
    def streams(self) -> bool:
        media_type = self._response.headers.get("content-type", "")
        return self._response.is_success and media_type.startswith("text/event-stream")

    async def read(self) -> Answer:
        """The rest of it; `NoImage` past the cap."""
        chunks: list[bytes] = []  # joined at the end: bytes that grow are copied again and again
        size_bytes = 0
        async for chunk in self._response.aiter_bytes():
            chunks.append(chunk)
            size_bytes += len(chunk)
            if size_bytes > MAX_ANSWER_BYTES:
                raise failures.no_image(f"its answer is larger than {MAX_ANSWER_BYTES // 1024**2} MiB")
        return Answer(self._supplier, self._response.status_code, self._response.headers, b"".join(chunks))

    async def events(self) -> AsyncIterator[Json]:
        """The JSON objects of a server-sent event stream, in order; it may simply end."""
        async for event in httpx2.EventSource(self._response, max_event_size=MAX_ANSWER_BYTES):
            if event.data and event.data != "[DONE]":
                yield parse(event.data)


class Wire:
    """One supplier's address and credentials on the shared pool."""

    def __init__(
        self, supplier: str, pool: httpx2.AsyncClient, base_url: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.supplier = supplier
        self.base_url = base_url.rstrip("/")
        self._pool = pool
        self._headers = dict(headers or {})

    async def post(self, path: str, body: Json) -> Answer:
        async with self.send("POST", path, json=body) as reply:
            return await reply.read()

    async def post_form(self, path: str, fields: Mapping[str, str], files: Files) -> Answer:
        async with self.send("POST", path, fields=fields, files=files) as reply:
            return await reply.read()

    async def get(self, path: str, *, with_credentials: bool = True) -> Answer:
        async with self.send("GET", path, with_credentials=with_credentials) as reply:
            return await reply.read()

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        *,
        json: Json | None = None,
        fields: Mapping[str, str] | None = None,
        files: Files = (),
        with_credentials: bool = True,
    ) -> AsyncGenerator[Reply]:
        """One HTTP exchange. `path` continues the base URL, or is a whole URL that the adapter has checked."""
        url = path if "://" in path else self.base_url + path
        headers = dict(self._headers) if with_credentials else {}
        content = None
        if json is not None:
            headers["content-type"] = "application/json"
            content = orjson.dumps(json)
        with _named(self.supplier):
            async with self._pool.stream(
                method, url, headers=headers, content=content, data=fields, files=list(files) or None
            ) as response:
                yield Reply(self.supplier, response)


def parse(text: bytes | str) -> Json:
    """A JSON object; `NoImage` for anything else."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise failures.no_image("its answer is not JSON") from error
    if not isinstance(value, dict):
        raise failures.no_image("its answer is not a JSON object")
    return cast("Json", value)


def table(value: object) -> Json:
    """`value` where it is a JSON object, else an empty one: for reading answers that may lack any part."""
    return cast("Json", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """`value` where it is a list, else an empty one."""
    return cast("list[object]", value) if isinstance(value, list) else []


def rows(value: object) -> list[Json]:
    """The objects in a list; an empty one stands for anything else."""
    return [table(row) for row in items(value)]


def first(value: object) -> Json:
    """The first object of a list, else an empty one."""
    return next(iter(rows(value)), table(None))


def words(value: object) -> str:
    """A list of strings as one, or a string as it is."""
    return ", ".join(str(word) for word in items(value)) or text(value)


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def from_base64(value: object) -> bytes:
    """The bytes of a picture; `NoImage` where there are none or they are not base64."""
    encoded = text(value)
    if not encoded:
        raise failures.no_image("the picture is empty")
    try:
        return pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise failures.no_image("the picture is not base64") from error


def to_base64(data: bytes) -> str:
    return pybase64.b64encode(data).decode("ascii")


def data_url(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{to_base64(data)}"


@contextmanager
def _named(supplier: str) -> Generator[None]:
    """Give the transport's failures our names. Only what never left this machine is `Unbilled`."""
    try:
        yield
    except NEVER_LEFT as error:
        raise Unbilled(failures.unavailable(supplier, "no connection", str(error))) from error
    except httpcore2.TimeoutException as error:
        raise UpstreamTimeout from error
    except (*FAILURES, httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise failures.unavailable(supplier, type(error).__name__, str(error)) from error
