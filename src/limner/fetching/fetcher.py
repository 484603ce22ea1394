"""Gets and posts to URLs that users name, within bounds of place, size, time and kind."""

import asyncio
import ssl
import zlib
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cached_property

import httpcore2

from limner import __version__
from limner.errors import Detail, InvalidRequest, PayloadTooLarge, UnsupportedMedia
from limner.fetching.addresses import Allowance
from limner.fetching.pinned import PinnedBackend, Resolver, SystemResolver
from limner.fetching.urls import HttpsUrl, UrlRefused, parse

MAX_BYTES = 20_000_000
MAX_REDIRECTS = 3

_REDIRECTS = {301, 302, 303, 307, 308}
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Fetched:
    data: bytes
    media_type_claimed: str
    """What the server said, lower case, without parameters; empty if it said nothing. Look at the bytes."""

    final_url: str


class Fetcher:
    """The only way our server calls an address a user chose.

    https on port 443, public addresses only, looked up once and pinned; no cookies, no proxy, no credentials.
    `allow` adds networks (`10.1.0.0/16`) and `ports` that an operator wants to be reachable all the same.
    Every failure is an InvalidRequest whose detail says `url_not_allowed` or `url_unreachable`, unless named below;
    `field` is the path of the request's field that holds the URL.
    """

    def __init__(
        self,
        *,
        user_agent: str = f"limner/{__version__}",
        allow: Iterable[str] = (),
        ports: Iterable[int] = (),
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
    ) -> None:
        self._backend = PinnedBackend(Allowance.of(allow, ports), resolve or SystemResolver())
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "identity"}
        self._ssl_context = ssl_context

    async def fetch(
        self,
        url: str,
        *,
        max_bytes: int = MAX_BYTES,
        timeout_seconds: float = 20.0,
        media_types: Collection[str] | None = None,
        max_redirects: int = MAX_REDIRECTS,
        field: str = "url",
    ) -> Fetched:
        """The bytes at `url`.

        Time counts for everything together, look-up and redirects included. `media_types` are what the server may
        claim to send. PayloadTooLarge above `max_bytes` (after decompression), UnsupportedMedia for another type.
        """
        async with _failures_named(field, timeout_seconds):
            target = parse(url)
            for _ in range(max_redirects + 1):
                async with self._response("GET", target, {}) as response:
                    location = _header(response, "location")
                    if response.status not in _REDIRECTS or not location:
                        return await _received(response, target, max_bytes, media_types)
                    target = parse(target.joined(location))
            raise _Unreachable("The URL redirects too often.")

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        timeout_seconds: float = 10.0,
        field: str = "url",
    ) -> int:
        """Send `body` and return the HTTP status; redirects are not followed and the answer's body is not read."""
        async with (
            _failures_named(field, timeout_seconds),
            self._response("POST", parse(url), headers, body) as response,
        ):
            return response.status

    def check_form(self, url: str, *, field: str = "url") -> None:
        """Raise what `fetch` would raise for the URL's text alone; nothing is looked up."""
        try:
            self._backend.check_port(parse(url).port)
        except UrlRefused as error:
            raise _invalid(field, str(error), "url_not_allowed") from None

    async def check_url(self, url: str, *, timeout_seconds: float = 5.0, field: str = "url") -> None:
        """Raise what `post` would raise before it connects: for a URL that is saved now and called later."""
        async with _failures_named(field, timeout_seconds):
            target = parse(url)
            await self._backend.addresses(target.host, target.port)

    async def close(self) -> None:
        if "_pool" in vars(self):
            await self._pool.aclose()

    @cached_property
    def _pool(self) -> httpcore2.AsyncConnectionPool:
        """Made when it is first needed: reading the system's certificates takes longer than the rest of a start."""
        return httpcore2.AsyncConnectionPool(
            ssl_context=self._ssl_context or httpcore2.default_ssl_context(),
            max_connections=_AT_ONCE,
            max_keepalive_connections=0,  # each call looks its host up again, and leaves nothing open behind
            network_backend=self._backend,
        )

    @asynccontextmanager
    async def _response(
        self, method: str, url: HttpsUrl, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncGenerator[httpcore2.Response]:
        place = httpcore2.URL(scheme="https", host=url.host, port=url.port, target=url.path)
        sent: dict[bytes | str, bytes | str] = {**headers, **self._headers, "Host": url.authority}
        async with self._pool.stream(method, place, headers=sent, content=body) as response:
            yield response


class _Unreachable(Exception):
    """The other side did not do its part; the message says so to the user."""


@asynccontextmanager
async def _failures_named(field: str, timeout_seconds: float) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(timeout_seconds):
            yield
    except UrlRefused as error:
        raise _invalid(field, str(error), "url_not_allowed") from None
    except _Unreachable as error:
        raise _invalid(field, str(error), "url_unreachable") from None
    except (TimeoutError, httpcore2.TimeoutException):
        raise _invalid(field, "The URL did not answer in time.", "url_unreachable") from None
    except (PayloadTooLarge, UnsupportedMedia) as error:
        raise type(error)(error.message, details=[Detail(field, error.message, error.code)]) from None
    except (OSError, zlib.error, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        raise _invalid(field, "The URL could not be reached over https.", "url_unreachable") from error


def _invalid(field: str, message: str, code: str) -> InvalidRequest:
    return InvalidRequest(message, details=[Detail(field, message, code)])


async def _received(
    response: httpcore2.Response, url: HttpsUrl, max_bytes: int, media_types: Collection[str] | None
) -> Fetched:
    if response.status != 200:
        raise _Unreachable(f"The URL answered with status {response.status}.")
    claimed = _header(response, "content-type").partition(";")[0].strip().lower()
    if media_types is not None and claimed not in media_types:
        raise UnsupportedMedia(
            f"The URL answers with '{claimed[:60] or 'no type'}', not with {', '.join(media_types)}."
        )
    return Fetched(await _body(response, max_bytes), claimed, str(url))


async def _body(response: httpcore2.Response, max_bytes: int) -> bytes:
    with suppress(ValueError):
        if int(_header(response, "content-length") or 0) > max_bytes:
            raise _too_large(max_bytes)
    received = bytearray()
    async with aclosing(_decoded(response, max_bytes + 1)) as pieces:
        async for piece in pieces:
            received += piece
            if len(received) > max_bytes:
                raise _too_large(max_bytes)
    return bytes(received)


async def _decoded(response: httpcore2.Response, piece_bytes: int) -> AsyncGenerator[bytes]:
    """The body's bytes in pieces of at most `piece_bytes` where they were compressed."""
    encoding = _header(response, "content-encoding").strip().lower()
    if encoding in {"", "identity"}:
        async for piece in response.aiter_stream():
            yield piece
    elif encoding == "gzip":  # not asked for, but some servers know nothing else
        inflate = zlib.decompressobj(wbits=31)
        async for piece in response.aiter_stream():
            yield inflate.decompress(piece, piece_bytes)
        if not inflate.eof:
            raise _Unreachable("What the URL sends breaks off.")
    else:
        raise _Unreachable(f"The URL answers in the encoding '{encoding[:20]}', which was not asked for.")


def _too_large(max_bytes: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"What the URL sends is larger than {max_bytes:,} bytes.")


def _header(response: httpcore2.Response, name: str) -> str:
    wanted = name.encode()
    return next((value.decode("latin-1") for key, value in response.headers if key.lower() == wanted), "")
