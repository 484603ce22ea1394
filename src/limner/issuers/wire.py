"""The way out to issuers: small JSON answers in little time, no redirects, nothing sent twice."""

import base64
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import httpx2
import orjson

from limner import __version__
from limner.issuers.base import NotVouched

SECONDS = 10.0
MOST_BYTES = 512 * 1024
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Json = dict[str, Any]
Client = httpx2.AsyncClient


def open_client() -> httpx2.AsyncClient:
    """A redirect could carry the client secret on, so none is followed."""
    return httpx2.AsyncClient(
        timeout=SECONDS, follow_redirects=False, trust_env=False, headers={"User-Agent": f"limner/{__version__}"}
    )


async def get(client: httpx2.AsyncClient, url: str, headers: Mapping[str, str] | None = None) -> Any:
    """The JSON at an address; NotVouched for anything else."""
    return await _json(
        client, client.build_request("GET", url, headers={"Accept": "application/json", **(headers or {})})
    )


async def post(
    client: httpx2.AsyncClient, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> Any:
    sent = {"Accept": "application/json", **(headers or {})}
    return await _json(client, client.build_request("POST", url, data=dict(form), headers=sent))


def basic(client_id: str, secret: str) -> str:
    """RFC 6749, section 2.3.1: both parts are form-encoded first."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    query = "&".join(each for each in (parts.query, urlencode(parameters)) if each)
    return urlunsplit(parts._replace(query=query))


def is_safe(url: object) -> bool:
    """Whether secrets may go there: over https, or not off this machine."""
    if not isinstance(url, str):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))


def table(data: Any, what: str) -> Json:
    if not isinstance(data, dict):
        raise NotVouched(f"{what} is not a JSON object")
    return cast("Json", data)


def text(data: Mapping[str, Any], name: str, most: int = 4096) -> str | None:
    """A string of an answer, where it is one and of a sensible length."""
    value = data.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= most and "\x00" not in value else None


async def _json(client: httpx2.AsyncClient, request: httpx2.Request) -> Any:
    where = f"{request.url.scheme}://{request.url.host}{request.url.path}"
    try:
        response = await client.send(request, stream=True)
        try:
            body = await _body(response, where)
        finally:
            await response.aclose()
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as problem:
        raise NotVouched(f"{where} cannot be reached: {type(problem).__name__}") from problem
    try:
        data = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise NotVouched(f"{where} answered {response.status_code} without JSON") from None
    if response.status_code != 200:
        said = cast("Json", data).get("error") if isinstance(data, dict) else None
        raise NotVouched(f"{where} answered {response.status_code}: {str(said)[:100]}")
    return data


async def _body(response: httpx2.Response, where: str) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MOST_BYTES:
            raise NotVouched(f"{where} answered with more than {MOST_BYTES} bytes")
    return bytes(body)
