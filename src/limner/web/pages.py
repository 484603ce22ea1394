"""Draws pages: one Jinja environment, one layout, and the headers every page carries."""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from limner import __version__
from limner.db.types import Clock
from limner.web import words
from limner.web.static import Static
from limner.web.visitors import Visitor

THEMES = ("light", "dark")
LEAST_COMPRESSED_BYTES = 1000

Fact = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class Site:
    """What every page may say about this server."""

    public_url: str
    sign_up: str
    bills: bool
    sells: bool


class Pages:
    """`render` is what every handler ends with; `facts` are values every page sees."""

    def __init__(self, site: Site, static: Static, clock: Clock) -> None:
        self._clock = clock
        self._env = Environment(
            loader=PackageLoader("limner.web"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            auto_reload=False,
        )
        names: dict[str, Any] = {"site": site, "asset": static.url, "version": __version__, "now": clock}
        self._env.globals.update(names)  # pyright: ignore[reportUnknownMemberType] — jinja2 leaves its value type open
        self._env.filters.update(words.FILTERS)  # pyright: ignore[reportUnknownMemberType]

    def render(
        self,
        template: str,
        visitor: Visitor,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        form_action: str = "",
        **values: Any,
    ) -> Response:
        """`form_action` names further origins a form may lead to (a checkout, an OAuth client)."""
        html = self.text(template, visitor, **values).encode()
        shown = _headers(form_action) | dict(headers or {})
        if len(html) >= LEAST_COMPRESSED_BYTES and _takes_gzip(visitor.request):
            html = gzip.compress(html, 6, mtime=0)
            shown["Content-Encoding"] = "gzip"
        return Response(html, status, headers=shown, media_type="text/html")

    def text(self, template: str, visitor: Visitor, **values: Any) -> str:
        """A page or fragment as text."""
        return self._env.get_template(template).render(visitor=visitor, zone=visitor.zone, **values)

    def now(self) -> datetime:
        return self._clock()


def _headers(form_action: str) -> dict[str, str]:
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
        f"connect-src 'self'; manifest-src 'self'; form-action 'self' {form_action}".rstrip()
    )
    return {
        "Content-Security-Policy": f"{policy}; base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "private, no-store",
        "Vary": "Cookie, Accept-Encoding",
    }


def _takes_gzip(request: Request) -> bool:
    return "gzip" in request.headers.get("accept-encoding", "")
