"""The files pages are made of: read once, compressed once, cached for good under a name that changes with them."""

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from limner.errors import NotFound

TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".woff2": "font/woff2"}
COMPRESSED = (".js", ".css", ".svg", ".txt", ".json", ".webmanifest")


@dataclass(frozen=True, slots=True)
class File:
    data: bytes
    gzipped: bytes | None
    media_type: str
    version: str


class Static:
    def __init__(self) -> None:
        found = _walk(resources.files("limner.web") / "static")
        self._files = {name: _file(name, each.read_bytes()) for name, each in found if not name.endswith(".css")}
        self._files |= {
            name: _file(name, self._dated(each.read_bytes())) for name, each in found if name.endswith(".css")
        }

    def url(self, name: str) -> str:
        """Where a file is served, with its version."""
        return f"/static/{name}?v={self._files[name].version}"

    def _dated(self, css: bytes) -> bytes:
        """A stylesheet whose fonts carry their version, so that they too are cached for good."""
        return re.sub(rb"url\((fonts/[^)]+)\)", lambda match: b"url(%s)" % self.url(match[1].decode()).encode(), css)

    def routes(self) -> list[Route]:
        return [Route("/static/{name:path}", self._serve), Route("/favicon.ico", self._icon)]

    async def _serve(self, request: Request) -> Response:
        file = self._files.get(request.path_params["name"])
        if file is None:
            raise NotFound()
        return _response(request, file)

    async def _icon(self, request: Request) -> Response:
        return _response(request, self._files["icon.svg"])


def _response(request: Request, file: File) -> Response:
    lasting = request.query_params.get("v") == file.version
    headers = {
        "ETag": f'"{file.version}"',
        "Cache-Control": "public, max-age=31536000, immutable" if lasting else "public, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    if file.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.gzipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.data, headers=headers, media_type=file.media_type)


def _walk(folder: Traversable, prefix: str = "") -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    for each in folder.iterdir():
        name = f"{prefix}{each.name}"
        found += _walk(each, f"{name}/") if each.is_dir() else [(name, each)]
    return found


def _file(name: str, data: bytes) -> File:
    suffix = "." + name.rpartition(".")[2]
    media_type = TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    gzipped = gzip.compress(data, 9, mtime=0) if suffix in COMPRESSED else None
    return File(data, gzipped, media_type, hashlib.sha256(data).hexdigest()[:10])
