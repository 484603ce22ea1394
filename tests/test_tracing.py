"""Traces, from the request to the detached run, sent to a real OTLP peer; nothing in them that a user wrote."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.peers.collector import Told, collecting, facts
from tests.service import Service, serving
from tests.subprocesses import run_python

from limner import tracing
from limner.app import running
from limner.config import BadConfiguration, Config
from limner.errors import ModerationBlocked

CANARY = "a canary called Zephyrine"


@asynccontextmanager
async def traced(tmp_path: Path, url: str, **env: str) -> AsyncIterator[tuple[Service, Told]]:
    with collecting() as told:
        async with serving(tmp_path, url, env={"LIMNER_OTLP_ENDPOINT": told.origin, **env}) as service:
            yield service, told


def by_name(told: Told) -> Mapping[str, Any]:
    return {span.name: span for span in told.spans}


async def test_one_trace_leads_from_the_request_to_the_supplier_and_the_charge(
    tmp_path: Path, database_url: str
) -> None:
    async with traced(tmp_path, database_url, LIMNER_OTLP_HEADERS="x-tenant=studio") as (service, told):
        answer = await service.generate(prompt=CANARY)
    spans = by_name(told)
    request, generation = spans["POST rest"], spans["generation"]
    assert facts(request)["limner.request_id"] == answer.headers["x-request-id"]
    assert facts(generation)["limner.generation_id"] == answer.json()["image"]["id"]
    assert generation.parent_span_id == request.span_id
    for step in ("provider call", "store", "settle"):
        assert spans[step].parent_span_id == generation.span_id
    assert len({span.trace_id for span in spans.values()}) == 1
    assert told.requests[0][1]["x-tenant"] == "studio"


async def test_the_trace_a_caller_sent_goes_on(tmp_path: Path, sqlite_url: str) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    async with traced(tmp_path, sqlite_url) as (service, told):
        service.http.headers["traceparent"] = f"00-{trace_id}-b7ad6b7169203331-01"
        await service.generate()
    assert {span.trace_id.hex() for span in told.spans} == {trace_id}


async def test_what_mcp_calls_make_is_traced_too(tmp_path: Path, sqlite_url: str) -> None:
    async with traced(tmp_path, sqlite_url) as (service, told), service.mcp() as client:
        await client.call_tool("generate_image", {"prompt": CANARY})
    spans = by_name(told)
    assert facts(spans["generation"])["limner.door"] == "mcp"
    assert spans["generation"].trace_id in {span.trace_id for span in told.spans if span.name == "POST mcp"}


async def test_a_failure_is_told_by_its_code_alone(tmp_path: Path, sqlite_url: str) -> None:
    async with traced(tmp_path, sqlite_url) as (service, told):
        service.stage.errors[CANARY] = ModerationBlocked(f"I will not draw {CANARY}")
        await service.generate(prompt=CANARY)
    failed = by_name(told)["generation"]
    assert failed.status.message == facts(failed)["error.type"] == "moderation_blocked"
    assert CANARY.encode() not in told.everything


async def test_no_prompt_key_or_picture_link_is_ever_sent(tmp_path: Path, sqlite_url: str) -> None:
    async with traced(tmp_path, sqlite_url) as (service, told):
        image = (await service.generate(prompt=CANARY)).json()["image"]
        await service.http.get(image["imageUrl"])
        async with service.mcp() as client:
            await client.call_tool("edit_image", {"instruction": CANARY, "images": [image["id"]]})
    signature = image["imageUrl"].rpartition("/i/")[2][:20]
    for secret in (CANARY, service.key, signature):
        assert secret.encode() not in told.everything


async def test_a_collector_that_is_not_there_harms_nobody(tmp_path: Path, sqlite_url: str) -> None:
    env = {"LIMNER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    async with serving(tmp_path, sqlite_url, env=env) as service:
        assert (await service.generate()).status_code == 200


def test_without_a_collector_nothing_is_loaded() -> None:
    loaded = run_python(
        "import sys; from limner import tracing\n"
        "with tracing.exporting(None, {}), tracing.span('x', facts={'a': 1}) as step: step.note(b=2)\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert loaded.returncode == 0


async def test_a_collector_without_the_extra_stops_the_start_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    config = Config.from_env({"LIMNER_DATA_DIR": str(tmp_path), "LIMNER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
    with pytest.raises(BadConfiguration, match=r"LIMNER_OTLP_ENDPOINT is set, but .*limner\[otel\]"):
        async with running(config):
            pass
    assert tracing.origin() is None
