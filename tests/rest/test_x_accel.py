"""Behind a real nginx that sends the bytes itself: every link is still checked by us, and looks as it always did."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from tests.service import Service, free_port, serving

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")

KEPT = (
    "X-Content-Type-Options",
    "Content-Security-Policy",
    "Cross-Origin-Resource-Policy",
    "Access-Control-Allow-Origin",
    "Referrer-Policy",
    "ETag",
    "X-Request-Id",
)
"""docs/operate/blobs.md has the same: nginx drops these from the answer unless it is told to add them again."""

SETTINGS = """daemon off; master_process off; pid {here}/pid; error_log stderr error;
events {{ }}
http {{
  access_log off; default_type application/octet-stream;
  client_body_temp_path {here}; proxy_temp_path {here}; fastcgi_temp_path {here}; uwsgi_temp_path {here}; scgi_temp_path {here};
  server {{
    listen 127.0.0.1:{port};
    location /_blobs/ {{
      internal; alias {blobs}/; etag off;
      {added}
    }}
    location / {{ proxy_pass http://127.0.0.1:{behind}; proxy_set_header Host $http_host; }}
  }}
}}
"""


@asynccontextmanager
async def behind_nginx(tmp_path: Path, sqlite_url: str) -> AsyncIterator[tuple[Service, httpx2.AsyncClient]]:
    assert NGINX is not None
    async with serving(tmp_path, sqlite_url, env={"LIMNER_X_ACCEL": "/_blobs/"}) as service:
        port, here = free_port(), tmp_path / "nginx"
        here.mkdir()
        added = "\n      ".join(
            f"add_header {name} $upstream_http_{name.lower().replace('-', '_')} always;" for name in KEPT
        )
        text = SETTINGS.format(
            here=here, port=port, blobs=tmp_path / "blobs", behind=urlsplit(service.url).port, added=added
        )
        (here / "nginx.conf").write_text(text)
        process = await asyncio.create_subprocess_exec(NGINX, "-p", str(here), "-c", str(here / "nginx.conf"))
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                await listening(port)
                yield service, client
        finally:
            process.terminate()
            await process.wait()


async def listening(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0)
            else:
                writer.close()
                return


async def test_nginx_sends_what_we_allow_and_nothing_else(tmp_path: Path, sqlite_url: str) -> None:
    async with behind_nginx(tmp_path, sqlite_url) as (service, client):
        image = (await service.generate()).json()["image"]
        path = urlsplit(image["imageUrl"]).path
        plain = await service.http.get(path)
        sent = await client.get(path)

        assert plain.headers["X-Accel-Redirect"].startswith("/_blobs/images/")
        assert plain.content == b""
        assert len(sent.content) == image["sizeBytes"]
        assert "X-Accel-Redirect" not in sent.headers
        for name in (*KEPT[:-1], "Content-Type", "Content-Disposition", "Cache-Control"):
            assert sent.headers[name] == plain.headers[name], name
        assert sent.headers["Content-Type"] == image["mediaType"]

        part = await client.get(path, headers={"Range": "bytes=10-19"})
        assert (part.status_code, part.content) == (206, sent.content[10:20])
        again = await client.get(path, headers={"If-None-Match": sent.headers["ETag"]})
        assert again.status_code == 304
        small = await client.get(f"{path}?width=256&format=jpeg")
        assert (small.headers["Content-Type"], small.content[:3]) == ("image/jpeg", b"\xff\xd8\xff")

        assert (await client.get(f"{path[:-5]}x.png")).status_code == 404
        inside = plain.headers["X-Accel-Redirect"]
        assert (await client.get(inside)).status_code == 404
        assert (await client.get(f"/_blobs/..{inside}")).status_code in (400, 404)
        await service.http.delete(f"/api/v1/images/{image['id']}")
        assert (await client.get(path)).status_code == 404
