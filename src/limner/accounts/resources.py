"""What an access token can be for: the paths of this server that are resources of their own (RFC 8707)."""

from dataclasses import dataclass

ORIGIN = ""
MCP_PATHS = ("/api/mcp", "/getimages/api/mcp", "/image-mcp/api/mcp")
RESOURCES = (ORIGIN, *MCP_PATHS)

_PROGRAMS = ("/api/v1/", "/v1/")


@dataclass(frozen=True, slots=True)
class Resources:
    """A resource stands in the database as its path; `public_url` makes it the identifier clients know."""

    public_url: str

    def identifier(self, resource: str) -> str:
        return f"{self.public_url}{resource}"

    def find(self, identifier: str) -> str | None:
        """The resource a client names, with or without a slash at its end; None when it is not ours."""
        named = identifier.rstrip("/")
        return next((each for each in RESOURCES if self.identifier(each) == named), None)


def of_path(path: str) -> str:
    """The resource a path of this server belongs to."""
    return path if path in MCP_PATHS else ORIGIN


def is_good_at(resource: str, path: str) -> bool:
    """Whether a token for `resource` may be used at `path`: its own, and the programs' API from the main two."""
    if path in MCP_PATHS:
        return resource == path
    return resource in (ORIGIN, "/api/mcp") and path.startswith(_PROGRAMS)
