"""What clients can read by address: models, the account, a picture, the viewer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

import mcp_types
import orjson
from mcp.shared.exceptions import MCPError

from limner.accounts.principal import Principal
from limner.errors import NotFound, ServiceError

Contents = mcp_types.TextResourceContents | mcp_types.BlobResourceContents

VIEWER_URI = "ui://limner/viewer.html"
APP_MEDIA_TYPE = "text/html;profile=mcp-app"
MINUTES = 60_000


@dataclass(frozen=True, slots=True)
class Readable:
    """A resource and how to read it; what belongs to nobody in particular is `public` and may be shared by caches."""

    listed: mcp_types.Resource
    read: Callable[[Principal], Awaitable[list[Contents]]]
    ttl_ms: int = 0
    scope: Literal["public", "private"] = "private"


@dataclass(frozen=True, slots=True)
class Template:
    """Resources of one form: the address ends in what `read` gets."""

    listed: mcp_types.ResourceTemplate
    read: Callable[[Principal, str], Awaitable[list[Contents]]]

    @property
    def prefix(self) -> str:
        return self.listed.uri_template.partition("{")[0]


class Shelf:
    """The resources of one edition."""

    def __init__(self, readables: Sequence[Readable], templates: Sequence[Template] = ()) -> None:
        self._readables = {str(each.listed.uri): each for each in readables}
        self._templates = templates

    def listed(self) -> list[mcp_types.Resource]:
        return [each.listed for each in self._readables.values()]

    def templates(self) -> list[mcp_types.ResourceTemplate]:
        return [each.listed for each in self._templates]

    async def read(self, principal: Principal, uri: str) -> mcp_types.ReadResourceResult:
        """-32602 for an unknown address; other failures by their own status."""
        try:
            return await self._read(principal, uri)
        except NotFound:
            raise MCPError(mcp_types.INVALID_PARAMS, "Resource not found", {"uri": uri}) from None
        except ServiceError as error:
            raise MCPError(error.status, str(error), error.as_data()) from None

    async def _read(self, principal: Principal, uri: str) -> mcp_types.ReadResourceResult:
        if (found := self._readables.get(uri)) is not None:
            contents = await found.read(principal)
            return mcp_types.ReadResourceResult(contents=contents, ttl_ms=found.ttl_ms, cache_scope=found.scope)
        for template in self._templates:
            if uri.startswith(template.prefix):
                contents = await template.read(principal, uri.removeprefix(template.prefix))
                return mcp_types.ReadResourceResult(contents=contents, ttl_ms=0, cache_scope="private")
        raise NotFound


def json_text(uri: str, data: Any) -> Contents:
    return mcp_types.TextResourceContents(uri=uri, mime_type="application/json", text=orjson.dumps(data).decode())


def viewer() -> Readable:
    """The app that chat clients show beside a result (MCP Apps): one page, no request of its own."""
    page = resources.files("limner.mcp_server").joinpath("viewer.html").read_text(encoding="utf-8")

    async def read(principal: Principal) -> list[Contents]:
        contents = mcp_types.TextResourceContents(uri=VIEWER_URI, mime_type=APP_MEDIA_TYPE, text=page)
        return [contents.model_copy(update={"meta": {"ui": {"prefersBorder": False}}})]

    listed = mcp_types.Resource(
        uri=VIEWER_URI,
        name="viewer",
        title="Image viewer",
        description="Shows the pictures of a result inside the chat.",
        mime_type=APP_MEDIA_TYPE,
        size=len(page.encode()),
    )
    return Readable(listed, read, ttl_ms=60 * MINUTES, scope="public")
