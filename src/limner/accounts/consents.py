"""Questions of clients to users: read strictly, kept word by word while the user thinks, answered once."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

import orjson

from limner.accounts import connections, redirects
from limner.accounts.connections import digest
from limner.accounts.oauth_clients import OAuthClient, document_host_of
from limner.accounts.principal import Scope
from limner.accounts.resources import Resources
from limner.db.base import Transaction
from limner.errors import InvalidRequest

TIME_TO_THINK = timedelta(minutes=15)
LONGEST_STATE = 4000
DEFAULT_RESOURCE = "/api/mcp"
"""For clients that name none: older ones do not, and an MCP client is what they are."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_IGNORED = frozenset({"openid", "profile", "email", "offline_access"})

Error = Literal[
    "invalid_request", "unsupported_response_type", "invalid_scope", "invalid_target", "access_denied", "login_required"
]


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks of a user. Everything in it was checked against the client and this server."""

    client_id: str
    client_name: str
    redirect_uri: str
    state: str | None
    scopes: tuple[Scope, ...]
    resource: str
    challenge: str

    @property
    def redirect_host(self) -> str:
        return redirects.host_of(self.redirect_uri)

    @property
    def document_host(self) -> str | None:
        return document_host_of(self.client_id)

    @property
    def is_local(self) -> bool:
        return redirects.is_local(self.redirect_uri)


@dataclass(frozen=True, slots=True)
class Refused:
    """The client hears what was wrong, at an address it registered."""

    redirect_uri: str
    state: str | None
    error: Error
    description: str


Parameters = Sequence[tuple[str, str]]


def redirect_uri_of(client: OAuthClient, sent: Parameters) -> str:
    """Where answers go. InvalidRequest, to be shown to the person: an unknown address hears nothing."""
    uris = [value for name, value in sent if name == "redirect_uri"]
    if not uris and len(client.redirect_uris) == 1:
        return client.redirect_uris[0]
    if len(uris) != 1 or not redirects.allowed(client.redirect_uris, uris[0]):
        raise InvalidRequest(
            "The program that sent you here wants the answer at an address it did not register.",
            next_step="Start again from the program; if this comes back, tell its makers.",
        )
    return uris[0]


def read(client: OAuthClient, redirect_uri: str, sent: Parameters, resources: Resources) -> Question | Refused:
    """The question of a client, or why it cannot be put to the user."""
    values: dict[str, str] = dict(sent)
    state = values.get("state")
    problem: tuple[Error, str] | None = _problem(sent, values)
    resource = _resource(sent, resources)
    scopes = _scopes(values.get("scope"))
    if problem is None and resource is None:
        problem = ("invalid_target", "resource is not one of this server's.")
    if problem is None and not scopes:
        problem = ("invalid_scope", f"The scopes are {' '.join(connections.GRANTABLE)}.")
    if problem is not None:
        error, description = problem
        return Refused(redirect_uri, state if state and len(state) <= LONGEST_STATE else None, error, description)
    assert resource is not None
    return Question(client.id, client.name, redirect_uri, state, scopes, resource, values["code_challenge"])


def ask(tx: Transaction, session_id: str, question: Question, now: datetime) -> str:
    """Keep a question for the browser it is shown in; the ticket its answer has to bring."""
    ticket = secrets.token_urlsafe(32)
    tx.execute(
        """INSERT INTO consents (digest, session_id, request, expires_at)
           VALUES (:digest, :session_id, :request, :expires_at)""",
        digest=digest(ticket),
        session_id=session_id,
        request=orjson.dumps(asdict(question)).decode(),
        expires_at=now + TIME_TO_THINK,
    )
    return ticket


def take(tx: Transaction, session_id: str, ticket: str, now: datetime) -> Question | None:
    """The question a ticket was given for, once; None for any other browser, and when it is over."""
    row = tx.first(
        "DELETE FROM consents WHERE digest = :digest AND session_id = :session_id AND expires_at > :now RETURNING request",
        digest=digest(ticket),
        session_id=session_id,
        now=now,
    )
    if row is None:
        return None
    kept = orjson.loads(row["request"])
    return Question(
        client_id=kept["client_id"],
        client_name=kept["client_name"],
        redirect_uri=kept["redirect_uri"],
        state=kept["state"],
        scopes=tuple(kept["scopes"]),
        resource=kept["resource"],
        challenge=kept["challenge"],
    )


def sweep(tx: Transaction, now: datetime) -> None:
    tx.execute("DELETE FROM consents WHERE expires_at < :now", now=now)


def answer_url(redirect_uri: str, issuer: str, state: str | None, **answer: str) -> str:
    """The client's address with the answer, who gives it (RFC 9207), and its state."""
    parts = urlsplit(redirect_uri)
    said = urlencode({**answer, **({} if state is None else {"state": state}), "iss": issuer})
    return urlunsplit(parts._replace(query=f"{parts.query}&{said}" if parts.query else said))


def _problem(sent: Parameters, values: dict[str, str]) -> tuple[Error, str] | None:
    names = [name for name, _ in sent if name != "resource"]
    if len(names) != len(set(names)):
        return "invalid_request", "A parameter was sent twice."
    if values.get("response_type") != "code":
        return "unsupported_response_type", "response_type must be code."
    if values.get("response_mode", "query") != "query":
        return "invalid_request", "response_mode must be query."
    if values.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(values.get("code_challenge", "")):
        return "invalid_request", "PKCE with code_challenge_method S256 is needed."
    if len(values.get("state", "")) > LONGEST_STATE:
        return "invalid_request", f"state must have at most {LONGEST_STATE} characters."
    if values.get("prompt") == "none":
        return "login_required", "The user has to be asked."
    return None


def _resource(sent: Parameters, resources: Resources) -> str | None:
    named = {value for name, value in sent if name == "resource"}
    if not named:
        return DEFAULT_RESOURCE
    return resources.find(named.pop()) if len(named) == 1 else None


def _scopes(asked: str | None) -> tuple[Scope, ...]:
    """Those asked for that a connection can have; all of them when a client names none of ours and none unknown."""
    words = set((asked or "").split()) - _IGNORED
    granted = connections.scopes_in(" ".join(words)) if words else frozenset(connections.GRANTABLE)
    return tuple(scope for scope in connections.GRANTABLE if scope in granted)
