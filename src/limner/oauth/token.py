"""The token endpoint and its opposite, revocation (RFC 7009). Clients are public: PKCE and rotation stand for a secret."""

from starlette.requests import Request
from starlette.responses import Response

from limner.accounts import grants
from limner.accounts.connections import scope_text, scopes_in
from limner.accounts.grants import ACCESS_LIFETIME, Issued, Redemption, Refusal
from limner.accounts.oauth_clients import OAuthClients, is_document
from limner.accounts.resources import Resources
from limner.db.base import Database
from limner.db.types import Clock
from limner.oauth.replies import BadForm, answer, form_of, refusal

Fields = dict[str, str]


class Tokens:
    def __init__(self, database: Database, clients: OAuthClients, resources: Resources, clock: Clock) -> None:
        self._database = database
        self._clients = clients
        self._resources = resources
        self._clock = clock

    async def issue(self, request: Request) -> Response:
        try:
            fields = await form_of(request)
            outcome = await self._outcome(request, fields)
        except BadForm as problem:
            return refusal("invalid_request", str(problem))
        return _shown(outcome, tried_secret="authorization" in request.headers)

    async def revoke(self, request: Request) -> Response:
        """Always 200 once the request can be read: whoever gives a token back need not care whether it still lived."""
        try:
            fields = await form_of(request)
        except BadForm as problem:
            return refusal("invalid_request", str(problem))
        if not fields.get("token"):
            return refusal("invalid_request", "token is needed.")
        now = self._clock()
        await self._database.write(lambda tx: grants.give_back(tx, fields["token"], fields.get("client_id"), now))
        return answer({})

    async def _outcome(self, request: Request, fields: Fields) -> Issued | Refusal | str:
        client_id = fields.get("client_id", "")
        if "authorization" in request.headers or not await self._is_known(client_id):
            return Refusal("invalid_client", "There is no such client; register again. Clients have no secret here.")
        if (resource := self._resource(fields)) == "elsewhere":
            return Refusal("invalid_target", "resource is not one of this server's.")
        match fields.get("grant_type"):
            case "authorization_code":
                return await self._redeem(fields, client_id, resource)
            case "refresh_token":
                return await self._refresh(fields, client_id, resource)
            case _:
                return "grant_type must be authorization_code or refresh_token."

    async def _redeem(self, fields: Fields, client_id: str, resource: str | None) -> Issued | Refusal:
        code, verifier = _needed(fields, "code"), _needed(fields, "code_verifier")
        asked = Redemption(code, client_id, fields.get("redirect_uri"), verifier, resource)
        now = self._clock()
        return await self._database.write(lambda tx: grants.redeem(tx, asked, now))

    async def _refresh(self, fields: Fields, client_id: str, resource: str | None) -> Issued | Refusal:
        token, now = _needed(fields, "refresh_token"), self._clock()
        scopes = scopes_in(fields["scope"]) if fields.get("scope") else None
        if scopes is not None and len(scopes) != len(set(fields["scope"].split())):
            return Refusal("invalid_scope", "That is not a scope a connection can have.")
        return await self._database.write(lambda tx: grants.refresh(tx, token, client_id, scopes, resource, now))

    async def _is_known(self, client_id: str) -> bool:
        return is_document(client_id) or (bool(client_id) and await self._clients.known(client_id) is not None)

    def _resource(self, fields: Fields) -> str | None:
        """The path of the resource named; None where none is, `elsewhere` (no path) where it is not ours."""
        if "resource" not in fields:
            return None
        found = self._resources.find(fields["resource"])
        return "elsewhere" if found is None else found


def _needed(fields: Fields, name: str) -> str:
    if not fields.get(name):
        raise BadForm(f"{name} is needed.")
    return fields[name]


def _shown(outcome: Issued | Refusal | str, *, tried_secret: bool) -> Response:
    """`tried_secret`: whether the client sent an Authorization header, which asks for a challenge in kind."""
    if isinstance(outcome, str):
        return refusal("unsupported_grant_type", outcome)
    if isinstance(outcome, Refusal):
        challenge = {"WWW-Authenticate": 'Basic realm="limner"'} if tried_secret else {}
        status = 401 if outcome.error == "invalid_client" else 400
        return refusal(outcome.error, outcome.description, status, challenge)
    return answer(
        {
            "access_token": outcome.access_token,
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFETIME.total_seconds()),
            "refresh_token": outcome.refresh_token,
            "scope": scope_text(outcome.scopes),
        }
    )
