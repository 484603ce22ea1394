"""The directory of routes answers as the framework's own router would."""

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, Router
from starlette.testclient import TestClient

from limner.http.routing import Directory


async def tell(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"{request.scope['route'].name} {request.path_params}")


ROUTES = [
    Route("/images/new", tell, name="new"),
    Route("/images/{id}", tell, name="one"),
    Route("/images/{id}", tell, name="change", methods=["POST"]),
    Route("/images/{id}/content", tell, name="content"),
    Route("/images", tell, name="list"),
    Route("/images", tell, name="make", methods=["POST"]),
    Route("/i/{rest:path}", tell, name="link"),
    Route("/{page}", tell, name="page"),
    Route("/late", tell, name="never reached"),
    Route("/", tell, name="home"),
]


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["/", "/images", "/images/", "/images/new", "/images/7", "/images/7/content", "/i/a/b", "/late", "/x", "/x/y"],
)
def test_every_request_finds_the_route_it_would_find_by_trying_all(method: str, path: str) -> None:
    answers = []
    for router in (Router(ROUTES), Directory(ROUTES)):
        app = Starlette()
        app.router = router
        response = TestClient(app, follow_redirects=False).request(method, path)
        answers.append((response.status_code, response.text, response.headers.get("location")))
    assert answers[0] == answers[1]
