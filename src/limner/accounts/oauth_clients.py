"""The programs that may ask a user for a connection: registered by themselves, or described by a document at their id."""

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlsplit

import orjson

from limner.accounts import redirects
from limner.db.base import Database, Row, Transaction
from limner.db.types import Clock, to_ms, utc
from limner.errors import InvalidRequest, ServiceError
from limner.fetching.fetcher import Fetcher

REGISTERED_FOR = timedelta(hours=24)
"""How long a registration waits for its first connection: most clients register anew for each login."""

DOCUMENT_GOOD_FOR = timedelta(minutes=10)
DOCUMENT_MOST_BYTES = 16_384
DOCUMENT_SECONDS = 5.0
MOST_REDIRECTS = 20
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class OAuthClient:
    id: str
    name: str
    redirect_uris: tuple[str, ...]
    expires_at: datetime


class BadClient(ValueError):
    """What a client says about itself cannot be taken; `error` is the code of RFC 7591, section 3.2.2."""

    def __init__(self, error: str, message: str) -> None:
        self.error = error
        super().__init__(message)


class OAuthClients:
    """`fetcher` is None where this server does not read metadata documents."""

    def __init__(self, database: Database, fetcher: Fetcher | None, clock: Clock) -> None:
        self._database = database
        self._fetcher = fetcher
        self._clock = clock

    @property
    def reads_documents(self) -> bool:
        return self._fetcher is not None

    async def register(self, data: Mapping[str, Any]) -> OAuthClient:
        """A new registration; raises BadClient."""
        now = self._clock()
        client = _described(f"client_{secrets.token_urlsafe(18)}", data, now + REGISTERED_FOR)
        await self._database.write(lambda tx: _put(tx, client, now))
        return client

    async def known(self, client_id: str) -> OAuthClient | None:
        """A client whose registration or document is at hand; nothing is fetched."""
        now = self._clock()
        return await self._database.read(lambda tx: find(tx, client_id, now))

    async def find(self, client_id: str) -> OAuthClient | None:
        """A client by its id, its document fetched where that is needed.

        InvalidRequest when the document cannot be had or does not describe this client.
        """
        client = await self.known(client_id)
        if client is not None or self._fetcher is None or not is_document(client_id):
            return client
        return await self._read(self._fetcher, client_id)

    async def _read(self, fetcher: Fetcher, url: str) -> OAuthClient:
        now = self._clock()
        try:
            fetched = await fetcher.fetch(
                url, max_bytes=DOCUMENT_MOST_BYTES, timeout_seconds=DOCUMENT_SECONDS, max_redirects=0, field="client_id"
            )
        except ServiceError as error:
            raise InvalidRequest(f"The client's metadata document cannot be read: {error.message}") from None
        client = _from_document(url, fetched.data, now + DOCUMENT_GOOD_FOR)
        await self._database.write(lambda tx: _put(tx, client, now))
        return client


def find(tx: Transaction, client_id: str, now: datetime) -> OAuthClient | None:
    """A registration stays as long as it has a connection, a document until it is due to be read again."""
    row = tx.first("SELECT * FROM oauth_clients WHERE id = :id", id=client_id)
    if row is None:
        return None
    is_due = row["expires_at"] <= to_ms(now)
    return None if is_due and (is_document(client_id) or not _is_connected(tx, client_id)) else _client(row)


def sweep(tx: Transaction, now: datetime) -> None:
    tx.execute(
        """DELETE FROM oauth_clients WHERE expires_at < :now AND NOT EXISTS
           (SELECT 1 FROM connections c WHERE c.client_id = oauth_clients.id AND c.revoked_at IS NULL)""",
        now=now,
    )


def is_document(client_id: str) -> bool:
    """Whether an id is the https address of a metadata document: with a path, and nothing that hides another."""
    if not client_id.startswith("https://") or not re.fullmatch(r"[!$&-;=?-\[\]_a-zA-Z~%]+", client_id):
        return False
    path = urlsplit(client_id).path
    return len(path) > 1 and not {".", ".."} & set(path.split("/")) and "#" not in client_id


def document_host_of(client_id: str) -> str | None:
    """Who answers for a client's name: the host of its document; None for one that registered itself."""
    return urlsplit(client_id).hostname if is_document(client_id) else None


def _from_document(url: str, data: bytes, expires_at: datetime) -> OAuthClient:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise InvalidRequest("The client's metadata document is not a JSON object.")
    said = cast("Mapping[str, Any]", document)
    if said.get("client_id") != url:
        raise InvalidRequest("The client's metadata document is about another client.")
    if said.get("token_endpoint_auth_method", "none") != "none" or "client_secret" in said:
        raise InvalidRequest("The client's metadata document asks for a secret; only public clients connect here.")
    try:
        return _described(url, said, expires_at)
    except BadClient as problem:
        raise InvalidRequest(f"The client's metadata document cannot be used: {problem}") from None


def _described(client_id: str, data: Mapping[str, Any], expires_at: datetime) -> OAuthClient:
    uris = _redirect_uris(data)
    _check_grants(data)
    return OAuthClient(client_id, _name(data, client_id, uris[0]), uris, expires_at)


def _redirect_uris(data: Mapping[str, Any]) -> tuple[str, ...]:
    sent = data.get("redirect_uris")
    uris = cast("list[Any]", sent) if isinstance(sent, list) else []
    if not 1 <= len(uris) <= MOST_REDIRECTS:
        raise BadClient("invalid_redirect_uri", f"redirect_uris must be a list of 1 to {MOST_REDIRECTS} URIs")
    for uri in uris:
        problem = redirects.problem_of(uri) if isinstance(uri, str) else "is not a string"
        if problem is not None:
            raise BadClient("invalid_redirect_uri", f"{str(uri)[:200]!r} {problem}")
    return tuple(uris)


def _check_grants(data: Mapping[str, Any]) -> None:
    grants, responses = data.get("grant_types"), data.get("response_types")
    if grants is not None and not (isinstance(grants, list) and "authorization_code" in grants):
        raise BadClient("invalid_client_metadata", "grant_types must hold authorization_code")
    if responses is not None and not (isinstance(responses, list) and "code" in responses):
        raise BadClient("invalid_client_metadata", "response_types must hold code")


def _name(data: Mapping[str, Any], client_id: str, redirect_uri: str) -> str:
    """The client's name for itself, with nothing in it that could rearrange the page it is shown on."""
    said = data.get("client_name")
    shown = "".join(each for each in said if unicodedata.category(each)[0] != "C") if isinstance(said, str) else ""
    shown = " ".join(shown.split())[:LONGEST_NAME]
    return shown or redirects.host_of(client_id if is_document(client_id) else redirect_uri)


def _put(tx: Transaction, client: OAuthClient, now: datetime) -> None:
    tx.execute(
        """INSERT INTO oauth_clients (id, name, redirect_uris, expires_at, created_at)
           VALUES (:id, :name, :redirect_uris, :expires_at, :now)
           ON CONFLICT (id) DO UPDATE SET name = excluded.name, redirect_uris = excluded.redirect_uris,
               expires_at = excluded.expires_at""",
        id=client.id,
        name=client.name,
        redirect_uris=orjson.dumps(client.redirect_uris).decode(),
        expires_at=client.expires_at,
        now=now,
    )


def _is_connected(tx: Transaction, client_id: str) -> bool:
    return (
        tx.first("SELECT 1 AS one FROM connections WHERE client_id = :id AND revoked_at IS NULL LIMIT 1", id=client_id)
        is not None
    )


def _client(row: Row) -> OAuthClient:
    return OAuthClient(row["id"], row["name"], tuple(orjson.loads(row["redirect_uris"])), utc(row["expires_at"]))
