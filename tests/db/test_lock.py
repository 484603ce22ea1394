"""Only one process serves a SQLite file."""

import subprocess
import sys

import pytest

from limner.db.lock import AlreadyServed, serving_lock

HOLD = (
    "import sys; from limner.db.lock import serving_lock\n"
    "with serving_lock(sys.argv[1]): print('held', flush=True); sys.stdin.read()"
)


def test_a_second_server_on_the_same_file_is_told_of_postgresql(sqlite_url: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, sqlite_url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "held\n"
        with pytest.raises(AlreadyServed, match=rf"Process {server.pid} .* PostgreSQL"), serving_lock(sqlite_url):
            pass
        server.kill()
        server.wait()
        with serving_lock(sqlite_url):  # the lock died with its process
            pass


def test_many_serve_one_postgresql() -> None:
    url = "postgresql:///limner"
    with serving_lock(url), serving_lock(url):
        pass
