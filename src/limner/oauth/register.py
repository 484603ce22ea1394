"""Dynamic registration (RFC 7591): a client names itself and its redirect addresses, and gets an id for a day."""

from typing import Any, cast

import orjson
from starlette.requests import Request
from starlette.responses import Response

from limner.accounts.connections import GRANTABLE
from limner.accounts.oauth_clients import BadClient, OAuthClient, OAuthClients
from limner.db.types import Clock
from limner.oauth.replies import BadForm, answer, body_of, refusal


class Registration:
    def __init__(self, clients: OAuthClients, clock: Clock) -> None:
        self._clients = clients
        self._clock = clock

    async def __call__(self, request: Request) -> Response:
        try:
            client = await self._clients.register(await _metadata(request))
        except BadForm as problem:
            return refusal("invalid_client_metadata", str(problem))
        except BadClient as problem:
            return refusal(problem.error, f"{problem}.")
        return answer(self._shown(client), 201)

    def _shown(self, client: OAuthClient) -> dict[str, Any]:
        """What was registered, whatever was asked for: a public client with all scopes; the user decides which it gets."""
        return {
            "client_id": client.id,
            "client_id_issued_at": int(self._clock().timestamp()),
            "client_name": client.name,
            "redirect_uris": client.redirect_uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": " ".join(GRANTABLE),
        }


async def _metadata(request: Request) -> dict[str, Any]:
    try:
        data = orjson.loads(await body_of(request))
    except orjson.JSONDecodeError:
        raise BadForm("The body is not JSON.") from None
    if not isinstance(data, dict):
        raise BadForm("The body is not a JSON object.")
    return cast("dict[str, Any]", data)
