"""What an access token can be for: the paths of this server that are resources of their own (RFC 8707)."""

from dataclasses import dataclass
from urllib.parse import urlsplit

ORIGIN = ""
MCP_PATHS = ("/api/mcp", "/getimages/api/mcp", "/image-mcp/api/mcp")
RESOURCES = (ORIGIN, *MCP_PATHS)

DEFAULT_PORTS = {"https": 443, "http": 80}

_PROGRAMS = ("/api/v1/", "/v1/")


@dataclass(frozen=True, slots=True)
class Resources:
    """A resource stands in the database as its path; `public_url` makes it the identifier clients know."""

    public_url: str

    def identifier(self, resource: str) -> str:
        return f"{self.public_url}{resource}"

    def find(self, identifier: str) -> str | None:
        """The resource a client names; None when it is not ours.

        A slash at the end, capitals in scheme and host, and the scheme's own port make no difference (RFC 3986, section 6).
        """
        named = _normal(identifier)
        return next((each for each in RESOURCES if _normal(self.identifier(each)) == named), None)


def _normal(identifier: str) -> str | None:
    try:
        parts = urlsplit(identifier)
        port = parts.port
    except ValueError:
        return None
    if "@" in parts.netloc or "?" in identifier or "#" in identifier or not identifier.isprintable():
        return None
    where = f":{port}" if port is not None and port != DEFAULT_PORTS.get(parts.scheme) else ""
    return f"{parts.scheme}://{parts.hostname or ''}{where}{parts.path.rstrip('/')}"


def of_path(path: str) -> str:
    """The resource a path of this server belongs to."""
    return path if path in MCP_PATHS else ORIGIN


def is_good_at(resource: str, path: str) -> bool:
    """Whether a token for `resource` may be used at `path`: its own, and the programs' API from the main two."""
    if path in MCP_PATHS:
        return resource == path
    return resource in (ORIGIN, "/api/mcp") and path.startswith(_PROGRAMS)
