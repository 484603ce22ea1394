"""9. Lists of an account with a million pictures beside the same lists with a thousand, on both databases."""

from collections.abc import Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from httpx2 import Client

from benchmarks import load, past
from benchmarks.figures.mcp import MODERN, request
from benchmarks.measure import Row
from benchmarks.past import SPAN_MS, Past
from benchmarks.postgres import postgresql
from benchmarks.servers import Limner, limner, make_account, sign_in_path, written
from benchmarks.sizes import Size
from limner.accounts import keys
from limner.accounts.keys import NewKey
from limner.db.base import Transaction
from limner.db.types import first_id_at, now

TITLE = "Lists with a million pictures"
SMALL_ROWS = 1000
OPENING = 10**7
"""The credits of each account before its first picture."""

COMMON, RARE = "search for a common word", "search that finds nothing"
SEARCHES = {f"{COMMON} (REST)", f"{RARE} (REST)"}
"""No list calls, and without a target: a word that is nowhere is looked for in every prompt, asked once a round."""


def measure(size: Size) -> list[Row]:
    with ExitStack() as stack:
        filling, url = stack.enter_context(ThreadPoolExecutor()), stack.enter_context(postgresql())
        on_file, on_server = (
            stack.enter_context(limner()),
            stack.enter_context(limner(env={"LIMNER_DATABASE_URL": url})),
        )
        servers = {"SQLite": on_file, "PostgreSQL": on_server}
        accounts = {
            name: (_account(each, "few", SMALL_ROWS, "1"), _account(each, "many", size.rows, "2"))
            for name, each in servers.items()
        }
        filled = [
            filling.submit(past.on_sqlite, on_file.data_dir / "limner.db", [each.past for each in accounts["SQLite"]]),
            filling.submit(past.on_postgresql, url, [each.past for each in accounts["PostgreSQL"]]),
        ]
        for each in filled:
            each.result()
        return [row for name, server in servers.items() for row in _compared(name, server, accounts[name], size)]


@dataclass(frozen=True, slots=True)
class _Account:
    email: str
    key: str
    past: Past


def _account(server: Limner, name: str, rows: int, digit: str) -> _Account:
    """An account with three keys, whose pictures are still to be written."""
    email = f"{name}@example.org"
    key = make_account(server.env, OPENING, email)

    def more_keys(tx: Transaction) -> Past:
        account_id = tx.scalar(
            """SELECT m.account_id FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = :email""",
            email=email,
        )
        for name in ("server", "phone"):
            keys.create(tx, account_id, NewKey(name=name), now())
        key_ids = [each.id for each in keys.of_account(tx, account_id)]
        return Past(account_id, key_ids, OPENING, rows, digit)

    return _Account(email, key, written(server.env, more_keys))


def _compared(database: str, server: Limner, accounts: tuple[_Account, _Account], size: Size) -> list[Row]:
    with ExitStack() as stack:
        few, many = (_calls(each, stack.enter_context(_signed_in(server, each.email))) for each in accounts)
        return [
            Row(
                f"{database}: {name}",
                *_medians(server, name, many[name], few[name], size),
                target=None if name in SEARCHES else 1.5,
            )
            for name in few
        ]


def _medians(server: Limner, name: str, many: bytes, few: bytes, size: Size) -> tuple[float, str, float, str]:
    """Milliseconds (p50) with many pictures and with few, asked in turn."""
    slow: list[float] = []
    quick: list[float] = []
    pages = 1 if name.startswith(RARE) else size.pages // size.rounds or 1
    for _ in range(size.rounds):
        slow += load.send(server.port, [many], count=pages, connections=1).latencies
        quick += load.send(server.port, [few], count=pages, connections=1).latencies
    return median(slow) * 1000, "ms", median(quick) * 1000, "1,000 pictures"


def _calls(account: _Account, cookie: str) -> Mapping[str, bytes]:
    auth, page = {"Authorization": f"Bearer {account.key}"}, {"Cookie": cookie}
    middle, key_id = first_id_at(now() - timedelta(milliseconds=SPAN_MS // 2)), account.past.key_ids[0]
    rest = {
        "first page": "images?limit=20",
        "page by cursor": f"images?limit=20&cursor={middle}",
        "succeeded only": "images?limit=20&status=succeeded",
        "failed only": "images?limit=20&status=failed",
        "of one model": "images?limit=20&modelId=limner:sketch",
        "of a model never used": "images?limit=20&modelId=bfl:flux-2-pro",
        "usage": "usage?limit=20",
        "usage by cursor": f"usage?limit=20&cursor={middle}",
        "usage of one model": "usage?limit=20&modelId=limner:sketch",
        "usage of one key": f"usage?limit=20&keyId={key_id}",
        COMMON: "images?limit=20&q=quiet",
        RARE: "images?limit=20&q=sunflower",
    }
    pages = {
        "gallery": "gallery",
        "gallery of one key": f"gallery?by={key_id}",
        "gallery of the dashboard's own": "gallery?by=browser",
        "keys": "keys",
        "connections": "connections",
        "usage of 90 days": "usage?days=90",
        "usage of 90 days by key": "usage?days=90&by=key",
        "usage": "usage",
        "overview": "",
    }
    return {
        **{f"{name} (REST)": load.request(f"/api/v1/{path}", headers=auth) for name, path in rest.items()},
        "list_images (MCP)": request(MODERN, auth, "list_images"),
        "list_usage (MCP)": request(MODERN, auth, "list_usage"),
        **{
            f"{name} (page)": load.request(f"/dashboard/{path}".rstrip("/"), headers=page)
            for name, path in pages.items()
        },
    }


@contextmanager
def _signed_in(server: Limner, email: str) -> Generator[str]:
    with Client(base_url=f"http://127.0.0.1:{server.port}") as client:
        path = sign_in_path(server.env, email)
        client.post(path, headers={"Origin": f"http://127.0.0.1:{server.port}"})
        yield "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
