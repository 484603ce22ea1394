"""The description of the REST API: valid, complete, and kept by every answer to anything that can be sent."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.routing import Route
from tests.service import Service, serving

from limner import __version__
from limner.accounts.principal import SCOPES
from limner.app import running
from limner.config import Config
from limner.rest.openapi import document
from limner.rest.operations import OPERATIONS
from limner.schemas import parse

HELD_AGAINST = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


async def test_the_description_is_valid_and_served(service: Service) -> None:
    async with service.client() as stranger:
        answer = await stranger.get("/openapi.json")
    described = answer.json()
    OpenAPIV31SpecValidator(described).validate()
    assert described == document(service.url, __version__)
    assert (described["openapi"], described["servers"]) == ("3.1.0", [{"url": service.url}])


async def test_every_route_is_described_and_every_description_has_its_route(tmp_path: Path, sqlite_url: str) -> None:
    environ = {"LIMNER_DATA_DIR": str(tmp_path), "LIMNER_DATABASE_URL": sqlite_url}
    async with running(Config.from_env(environ)) as server:
        there = {
            (method, route.path)
            for route in server.routes
            if isinstance(route, Route) and route.path.startswith("/api/v1/")
            for method in route.methods or ()
            if method != "HEAD"
        }
    assert there == {(each.method, each.path) for each in OPERATIONS}


def test_every_example_is_a_request_we_take() -> None:
    for operation in OPERATIONS:
        if operation.body is not None:
            assert operation.example is not None
            parse(operation.body, dict(operation.example))


NOT_HTTP = b"Invalid HTTP request received."
"""The HTTP parser's own answer to made-up headers that are none, such as an empty Content-Length: it never reaches us."""


SHARED_RANDOM = pytest.mark.filterwarnings("ignore:Do not use the `random` module inside strategies")
"""The server runs in the tests' process and draws from `random` (to spread what it repeats) while a request is made up
beside it; the maker of requests takes that for a draw of its own, once in some hundred runs."""


@SHARED_RANDOM
async def test_whatever_is_sent_is_answered_as_described(service: Service) -> None:
    assert await fuzz(service, cases_per_operation=8) > 0


@SHARED_RANDOM
@pytest.mark.slow
@pytest.mark.timeout(3000)
async def test_whatever_is_sent_five_thousand_times_is_answered_as_described(tmp_path: Path, database_url: str) -> None:
    """Each operation is given so many cases that thousands remain where there are fewer to make up than were asked."""
    async with serving(tmp_path, database_url, credits=1_000_000) as service:
        sent = await fuzz(service, cases_per_operation=110)
        assert await service.audit() == []
    print(f"{sent} requests")
    assert sent >= 5_000


async def fuzz(service: Service, *, cases_per_operation: int) -> int:
    """Valid and invalid requests for every operation, made up from the description, at a server with something in it;
    how many reached the server and were answered by it."""
    secret = await service.make_key(scopes=frozenset(SCOPES))
    image = (await service.generate()).json()["image"]["id"]
    async with service.client() as stranger:
        schema = schemathesis.openapi.from_dict((await stranger.get("/openapi.json")).json())
    return await asyncio.to_thread(_fuzz, schema, service.url, secret, image, cases_per_operation)


def _fuzz(schema: Any, url: str, secret: str, image: str, cases: int) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return sum(
        _fuzz_one(result.ok().as_strategy(generation_mode=mode), url, headers, image, cases)
        for result in schema.get_all_operations()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )


def _fuzz_one(strategy: Any, url: str, headers: dict[str, str], image: str, cases: int) -> int:
    answered = 0

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, known=st.booleans())
    def check(case: Case, known: bool) -> None:
        nonlocal answered
        if case.method == "DELETE" or case.path.endswith("/rotate"):
            known = False
        if known and case.path.startswith("/api/v1/images/") and "id" in case.path_parameters:
            case.path_parameters["id"] = image
        if isinstance(case.body, dict):  # waiting is what other tests are about
            case.body.pop("waitSeconds", None)
        response = case.call(base_url=url, headers=headers, timeout=120)
        if response.status_code == 400 and response.content == NOT_HTTP:
            return
        case.validate_response(response, checks=HELD_AGAINST)
        answered += 1

    check()
    return answered
