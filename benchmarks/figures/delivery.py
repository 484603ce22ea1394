"""7. Bytes of pictures without a key: the signed link, a thumbnail from the cache, and both through nginx."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from httpx2 import Client

from benchmarks import load
from benchmarks.figures.image import LARGE, MODEL, with_supplier
from benchmarks.measure import Row, Subject, alternating
from benchmarks.servers import OTHER_PYTHON, Limner, Missing, Running, floor, free_port, process
from benchmarks.sizes import Size

TITLE = "Deliver pictures"
NGINX = """daemon off; master_process off; pid {directory}/pid; error_log stderr error;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; types {{ image/png png; }}
  client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
  uwsgi_temp_path {directory}; scgi_temp_path {directory};
  upstream limner {{ server 127.0.0.1:{behind}; keepalive 16; }}
  server {{
    listen 127.0.0.1:{port};
    location /files/ {{ alias {blobs}/; }}
    location /_blobs/ {{ internal; alias {blobs}/; }}
    location / {{ proxy_pass http://limner; proxy_set_header Host $http_host; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def measure(size: Size) -> list[Row]:
    with ExitStack() as stack:
        ours = stack.enter_context(with_supplier(LARGE))
        accelerated = stack.enter_context(with_supplier(LARGE, env={"LIMNER_X_ACCEL": "/_blobs/"}))
        path, stored = _picture(ours)
        accelerated_path, accelerated_blob = _picture(accelerated)
        granian = stack.enter_context(floor("granian_file", str(stored), python=OTHER_PYTHON))
        raw = stack.enter_context(floor("raw_asgi"))
        front = stack.enter_context(_nginx(accelerated))
        alone = f"/files/{accelerated_blob.relative_to(accelerated.data_dir / 'blobs')}"
        costs = alternating(
            {
                "link": _subject(ours, path),
                "thumbnail": _subject(ours, f"{path}?width=256&format=jpeg"),
                "granian": _subject(granian, "/"),
                "raw": _subject(raw, "/"),
                "nginx": _subject(front, alone),
                "front": _subject(front, accelerated_path),
                "behind": Subject(accelerated.pid, lambda n: _get(front.port, accelerated_path, n)),
            },
            count=size.images * 5,
            rounds=size.rounds,
        )
    cpu = {name: cost.cpu_us for name, cost in costs.items()}
    limit_us = max(1.5 * cpu["granian"], 2000)
    return [
        Row(
            "Signed link, 1.5 MB", cpu["link"], "µs CPU", cpu["granian"], "granian pathsend", limit_us / cpu["granian"]
        ),
        Row("Thumbnail from cache", cpu["thumbnail"], "µs CPU", cpu["raw"], "raw ASGI", 2.5),
        Row("Behind nginx (X-Accel), 1.5 MB", cpu["front"] + cpu["behind"], "µs CPU", cpu["nginx"], "nginx alone", 2.2),
    ]


def _subject(server: Running, path: str) -> Subject:
    return Subject(server.pid, lambda number: _get(server.port, path, number))


def _get(port: int, path: str, number: int) -> None:
    load.send(port, [load.request(path)], count=number, connections=4)


def _picture(server: Limner) -> tuple[str, Path]:
    """The signed path of a new picture, and where its bytes lie."""
    with Client(base_url=f"http://127.0.0.1:{server.port}", headers=server.auth, timeout=60) as client:
        body = {"prompt": "noise", "modelId": MODEL, "includeBytes": False, "ttlSeconds": 86_400}
        image = orjson.loads(client.post("/api/v1/images/generate", json=body).raise_for_status().content)["image"]
        path = urlsplit(image["imageUrl"]).path
        client.get(f"{path}?width=256&format=jpeg").raise_for_status()
    return path, next((server.data_dir / "blobs").rglob(f"{image['id']}~original~*"))


@contextmanager
def _nginx(behind: Limner) -> Generator[Running]:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise Missing("nginx is not installed: apt install nginx-light")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="limner-bench-") as directory:
        settings = Path(directory) / "nginx.conf"
        settings.write_text(
            NGINX.format(directory=directory, port=port, blobs=behind.data_dir / "blobs", behind=behind.port)
        )
        with process([nginx, "-p", directory, "-c", str(settings)], port) as running:
            yield running
