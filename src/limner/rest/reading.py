"""Query strings as typed values, each with its own coded error."""

from uuid import UUID

from starlette.requests import Request

from limner.errors import Detail, InvalidRequest


def whole(request: Request, name: str, default: int, *, least: int, most: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 16) or not least <= int(text) <= most:
        raise wrong(name, f"must be a whole number from {least} to {most}")
    return int(text)


def page_of(request: Request) -> tuple[int, int]:
    """limit and offset."""
    return whole(request, "limit", 20, least=1, most=100), whole(request, "offset", 0, least=0, most=2**53)


def choice(request: Request, name: str, allowed: tuple[str, ...]) -> str | None:
    text = request.query_params.get(name)
    if text is not None and text not in allowed:
        raise wrong(name, f"must be one of: {', '.join(allowed)}")
    return text


def text(request: Request, name: str, most: int = 200) -> str | None:
    value = request.query_params.get(name)
    if value is not None and ("\x00" in value or len(value) > most):
        raise wrong(name, f"must be at most {most} characters without NUL")
    return value or None


def cursor(request: Request) -> str | None:
    """The id after which a list goes on."""
    value = request.query_params.get("cursor")
    if not value:
        return None
    try:
        return str(UUID(value))
    except ValueError:
        raise wrong("cursor", "must be the nextCursor of the page before") from None


def id_of(request: Request, name: str = "id") -> str:
    """The id that stands in the path; what cannot be one is invalid_request, unlike an id that nothing has."""
    text: str = request.path_params[name]
    try:
        return str(UUID(text))
    except ValueError:
        raise wrong(name, "must be a UUID") from None


def wrong(name: str, what: str) -> InvalidRequest:
    return InvalidRequest(f"{name}: {what}.", details=[Detail(name, what)])
