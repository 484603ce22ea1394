"""The documents clients find their way by: RFC 9728 for each resource, RFC 8414 for the authorization server."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.accounts.connections import GRANTABLE
from limner.accounts.resources import MCP_PATHS, RESOURCES, Resources
from limner.http.challenges import METADATA_PATH
from limner.http.json import Json
from limner.oauth.replies import CORS

SERVER_PATHS = ("/.well-known/oauth-authorization-server", "/.well-known/openid-configuration")
KEPT = {"Cache-Control": "public, max-age=300"}


class MetadataRoutes:
    """`reads_documents`: whether clients may come with a metadata document instead of a registration."""

    def __init__(self, resources: Resources, *, reads_documents: bool) -> None:
        self._resources = resources
        self._server = _server(resources.public_url, reads_documents=reads_documents)

    def routes(self) -> list[Route]:
        """Both ways of putting a path into a well-known address: clients try either."""
        own = [self._route(f"{METADATA_PATH}{each}", self._resource(each)) for each in RESOURCES]
        appended = [self._route(f"{each}{METADATA_PATH}", self._resource(each)) for each in MCP_PATHS]
        plain = [self._route(f"{path}{each}", self._server) for path in SERVER_PATHS for each in RESOURCES]
        suffixed = [self._route(f"{each}{path}", self._server) for path in SERVER_PATHS for each in MCP_PATHS]
        return [*own, *appended, *plain, *suffixed]

    def _resource(self, resource: str) -> dict[str, Any]:
        public_url = self._resources.public_url
        return {
            "resource": self._resources.identifier(resource),
            "authorization_servers": [public_url],
            "scopes_supported": list(GRANTABLE),
            "bearer_methods_supported": ["header"],
            "resource_name": "Limner",
            "resource_documentation": f"{public_url}/docs",
        }

    def _route(self, path: str, document: dict[str, Any]) -> Route:
        async def show(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(status_code=204, headers=CORS)
            return Json(document, headers={**CORS, **KEPT})

        return Route(path, show, methods=["GET", "OPTIONS"])


def _server(issuer: str, *, reads_documents: bool) -> dict[str, Any]:
    """The issuer has no slash at its end: clients compare it letter by letter."""
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "registration_endpoint": f"{issuer}/oauth/register",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "scopes_supported": list(GRANTABLE),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": reads_documents,
        "service_documentation": f"{issuer}/docs",
    }
