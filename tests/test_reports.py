"""What Sentry is told, by a real client to a loopback peer: where the code failed, nothing of what was asked."""

import asyncio
import sys
from pathlib import Path

import pytest
from tests.logged import CANARY, logged
from tests.peers.collector import collecting

from limner.app import running
from limner.config import BadConfiguration, Config


def dsn_of(origin: str) -> str:
    return f"{origin.replace('//', '//publickey@')}/7"


def test_a_bug_is_reported_with_its_place_and_its_generation(tmp_path: Path, sqlite_url: str) -> None:
    with collecting() as told:
        server = logged(tmp_path, sqlite_url, {CANARY: f"cannot draw {CANARY}"}, LIMNER_SENTRY_DSN=dsn_of(told.origin))
        [report] = told.reports
    [answer] = server.answers
    assert answer["error"]["code"] == "internal"
    assert report["logentry"]["message"] == "generation failed"
    assert report["tags"]["generation_id"] == answer["error"]["generationId"]
    assert report["tags"]["request_id"] == answer["requestId"]
    assert report["release"].startswith("limner@")
    [exception] = report["exception"]["values"]
    assert (exception["type"], exception["value"]) == ("RuntimeError", "")
    assert exception["stacktrace"]["frames"][-1]["function"] == "__call__"
    for secret in (CANARY, server.key):
        assert secret.encode() not in told.everything


def test_what_is_no_bug_is_not_reported(tmp_path: Path, sqlite_url: str) -> None:
    with collecting() as told:
        server = logged(tmp_path, sqlite_url, {"a lake": "", "": ""}, LIMNER_SENTRY_DSN=dsn_of(told.origin))
        assert told.reports == []
    assert server.answers[1]["error"]["code"] == "invalid_request"


def test_a_server_that_does_not_take_reports_harms_nobody(tmp_path: Path, sqlite_url: str) -> None:
    dsn = "http://publickey@127.0.0.1:9/7"
    server = logged(tmp_path, sqlite_url, {"bad": "a bug", "a lake": ""}, LIMNER_SENTRY_DSN=dsn)
    assert server.answers[1]["image"]["status"] == "succeeded"


async def start(tmp_path: Path, dsn: str) -> None:
    async with running(Config.from_env({"LIMNER_DATA_DIR": str(tmp_path), "LIMNER_SENTRY_DSN": dsn})):
        await asyncio.sleep(0)


async def test_a_wrong_address_or_a_missing_extra_stops_the_start_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadConfiguration, match="LIMNER_SENTRY_DSN is set, but it is not the address"):
        await start(tmp_path, "nonsense")
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(BadConfiguration, match=r"LIMNER_SENTRY_DSN is set, but .*limner\[sentry\]"):
        await start(tmp_path, "http://publickey@127.0.0.1:9/7")
