"""The directory of routes finds what the framework's own router would."""

from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Match, Route
from starlette.testclient import TestClient

from limner.http.routing import Directory


def told(name: str, *methods: str, path: str) -> Route:
    async def tell(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{name} {request.path_params}")

    return Route(path, tell, name=name, methods=methods or None)


async def missing(request: Request) -> PlainTextResponse:
    return PlainTextResponse("missing", 404)


async def refusing(request: Request, methods: Sequence[str]) -> PlainTextResponse:
    return PlainTextResponse(" ".join(methods), 405)


ROUTES = [
    told("new", path="/images/new"),
    told("one", path="/images/{id}"),
    told("change", "POST", path="/images/{id}"),
    told("content", path="/images/{id}/content"),
    told("numbered", path="/samples/{number:int}"),
    told("list", path="/images"),
    told("make", "POST", path="/images"),
    told("link", path="/i/{rest:path}"),
    told("page", path="/{page}"),
    told("never reached", path="/late"),
    told("home", path="/"),
]
PATHS = ("/", "/images", "/images/new", "/images/7", "/images/7/content", "/samples/7", "/i/a/b", "/late", "/x", "/x/y")


@pytest.fixture
def client() -> TestClient:
    return TestClient(Directory(ROUTES, missing=missing, refusing=refusing), follow_redirects=False)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_every_request_finds_the_route_it_would_find_by_trying_all(client: TestClient, method: str, path: str) -> None:
    scope = {"type": "http", "path": path, "method": method}
    tried = [(route, *route.matches(scope)) for route in ROUTES]
    first = next((f"{route.name} {found['path_params']}" for route, match, found in tried if match is Match.FULL), None)
    answer = client.request(method, path)
    if first is not None:
        assert (answer.status_code, answer.text) == (200, "" if method == "HEAD" else first)
    else:
        assert answer.status_code == (405 if any(match is Match.PARTIAL for _, match, _ in tried) else 404)


def test_who_uses_a_method_that_is_not_taken_is_told_all_that_are(client: TestClient) -> None:
    assert client.delete("/images").text == "GET HEAD POST"


def test_a_slash_too_many_leads_to_the_path_without_it(client: TestClient) -> None:
    answer = client.get("/images/7/content/?width=3")
    assert (answer.status_code, answer.headers["location"]) == (307, "/images/7/content?width=3")


def test_a_slash_too_many_leads_nowhere_when_nothing_is_there_without_it(client: TestClient) -> None:
    assert client.get("/x/y/").status_code == 404
