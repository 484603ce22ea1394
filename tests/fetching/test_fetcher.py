"""What a fetcher brings back, and where it stops."""

import asyncio
import gzip
import json
import ssl

import pytest
from tests.peers.https import Authority, Peer, Request, response

from limner.errors import InvalidRequest, PayloadTooLarge, ServiceError, UnsupportedMedia
from limner.fetching.fetcher import Fetcher

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


async def resolve(host: str, port: int) -> list[str]:
    if host == "gone.test":
        raise OSError("no such name")
    return ["127.0.0.1"]


@pytest.fixture
def fetcher(authority: Authority, peer: Peer) -> Fetcher:
    return Fetcher(
        user_agent="limner/test",
        allow=["127.0.0.1/32"],
        ports=[peer.port],
        ssl_context=authority.client,
        resolve=resolve,
    )


def url(peer: Peer, path: str = "/picture.png", host: str = "files.test") -> str:
    return f"https://{host}:{peer.port}{path}"


def codes(error: ServiceError) -> list[str]:
    return [detail.code for detail in error.details]


async def test_the_bytes_come_back_with_what_the_server_said(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(PNG, content_type="Image/PNG; charset=binary")
    fetched = await fetcher.fetch(url(peer))
    assert fetched.data == PNG
    assert fetched.media_type_claimed == "image/png"
    assert fetched.final_url == url(peer)


async def test_the_server_is_asked_by_name_and_told_nothing_more(
    fetcher: Fetcher, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    peer.answer = response(PNG, set_cookie="tracked=1")
    await fetcher.fetch(url(peer))
    await fetcher.fetch(url(peer, "/b%20c/ü?x=1&y=ü#fragment"))
    assert peer.server_names == ["files.test", "files.test"]
    assert [request.line for request in peer.requests] == [
        "GET /picture.png HTTP/1.1",
        "GET /b%20c/%C3%BC?x=1&y=%C3%BC HTTP/1.1",
    ]
    for request in peer.requests:
        assert request.headers == {
            "host": f"files.test:{peer.port}",
            "user-agent": "limner/test",
            "accept-encoding": "identity",
        }


async def test_a_certificate_for_another_name_is_not_trusted(fetcher: Fetcher, peer: Peer) -> None:
    with pytest.raises(InvalidRequest, match="could not be reached over https") as caught:
        await fetcher.fetch(url(peer, host="unknown.test"))
    assert codes(caught.value) == ["url_unreachable"]
    assert peer.requests == []


async def test_a_certificate_of_an_unknown_authority_is_not_trusted(peer: Peer) -> None:
    strict = Fetcher(
        allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=ssl.create_default_context(), resolve=resolve
    )
    with pytest.raises(InvalidRequest, match="could not be reached over https"):
        await strict.fetch(url(peer))
    assert peer.requests == []


async def test_redirects_are_followed_to_where_they_end(fetcher: Fetcher, peer: Peer) -> None:
    async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
        place = {"GET /a HTTP/1.1": "b?x=1", "GET /b?x=1 HTTP/1.1": url(peer, "/c", "other.test")}.get(request.line)
        send = response(status="307 Temporary Redirect", location=place) if place else response(PNG)
        await send(request, writer)

    peer.answer = answer
    fetched = await fetcher.fetch(url(peer, "/a"))
    assert fetched.data == PNG
    assert fetched.final_url == url(peer, "/c", "other.test")
    assert peer.server_names == ["files.test", "files.test", "other.test"]


async def test_a_circle_of_redirects_ends(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(status="302 Found", location="/again")
    with pytest.raises(InvalidRequest, match="redirects too often") as caught:
        await fetcher.fetch(url(peer))
    assert codes(caught.value) == ["url_unreachable"]
    assert len(peer.requests) == 4


async def test_a_document_that_must_not_redirect_does_not(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(status="302 Found", location="/elsewhere")
    with pytest.raises(InvalidRequest, match="redirects too often"):
        await fetcher.fetch(url(peer), max_redirects=0)
    assert len(peer.requests) == 1


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Oops", "204 No Content", "206 Partial Content", "304 Not Modified"]
)
async def test_any_answer_but_200_is_said(fetcher: Fetcher, peer: Peer, status: str) -> None:
    peer.answer = response(b"" if status[0] in "23" else b"body", status=status)
    with pytest.raises(InvalidRequest, match=f"answered with status {status[:3]}") as caught:
        await fetcher.fetch(url(peer))
    assert codes(caught.value) == ["url_unreachable"]


async def test_another_type_than_asked_for_is_refused_before_its_body(fetcher: Fetcher, peer: Peer) -> None:
    async def only_the_head(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000\r\n\r\n")
        await writer.drain()
        await asyncio.Event().wait()

    peer.answer = only_the_head
    with pytest.raises(UnsupportedMedia, match="'text/html', not with application/json") as caught:
        await fetcher.fetch(url(peer), media_types=["application/json"], field="clientId")
    assert [(detail.path, detail.code) for detail in caught.value.details] == [("clientId", "unsupported_media")]


async def test_a_body_announced_too_large_is_not_read(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(b"x", content_length="20000001")
    with pytest.raises(PayloadTooLarge, match="20,000,000 bytes") as caught:
        await fetcher.fetch(url(peer), field="images.0")
    assert [detail.path for detail in caught.value.details] == ["images.0"]


async def test_an_endless_body_is_cut_at_the_limit(fetcher: Fetcher, peer: Peer) -> None:
    sent = 0

    async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n")
        while True:
            writer.write(bytes(65_536))
            await writer.drain()
            await asyncio.sleep(0)  # draining waits for nobody while the kernel still takes bytes
            sent += 65_536

    peer.answer = endless
    with pytest.raises(PayloadTooLarge):
        await fetcher.fetch(url(peer), max_bytes=1_000_000)
    assert sent < 20_000_000


async def test_exactly_the_limit_is_allowed(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(bytes(1_000))
    assert len((await fetcher.fetch(url(peer), max_bytes=1_000)).data) == 1_000
    with pytest.raises(PayloadTooLarge):
        await fetcher.fetch(url(peer), max_bytes=999)


async def test_a_body_compressed_unasked_is_read_all_the_same(fetcher: Fetcher, peer: Peer) -> None:
    document = json.dumps({"client_name": "Codex"}).encode()
    peer.answer = response(gzip.compress(document), content_encoding="gzip", content_type="application/json")
    assert (await fetcher.fetch(url(peer))).data == document


async def test_a_gzip_bomb_is_cut_at_the_limit(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(gzip.compress(bytes(50_000_000)), content_encoding="gzip")
    with pytest.raises(PayloadTooLarge):
        await fetcher.fetch(url(peer), max_bytes=1_000_000)


@pytest.mark.parametrize(
    ("body", "encoding"),
    [(gzip.compress(PNG)[:-12], "gzip"), (b"not gzip", "gzip"), (b"x", "br"), (gzip.compress(PNG), "gzip, gzip")],
    ids=["cut short", "not gzip", "not asked for", "not twice gzip"],  # the bytes hold the time of day
)
async def test_a_body_that_cannot_be_decoded_is_unreachable(
    fetcher: Fetcher, peer: Peer, body: bytes, encoding: str
) -> None:
    peer.answer = response(body, content_encoding=encoding)
    with pytest.raises(InvalidRequest) as caught:
        await fetcher.fetch(url(peer))
    assert codes(caught.value) == ["url_unreachable"]


async def test_a_slow_drip_is_cut_by_the_time_for_everything(fetcher: Fetcher, peer: Peer) -> None:
    async def drip(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:  # each byte in time by itself
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    peer.answer = drip
    with pytest.raises(InvalidRequest, match="did not answer in time") as caught:
        await fetcher.fetch(url(peer), timeout_seconds=0.3)
    assert codes(caught.value) == ["url_unreachable"]


async def test_a_silent_server_and_a_silent_name_server_are_cut_too(authority: Authority, peer: Peer) -> None:
    async def silence(*_: object) -> list[str]:
        await asyncio.Event().wait()
        return []

    peer.answer = silence
    for resolver in (resolve, silence):
        fetcher = Fetcher(allow=["127.0.0.1/32"], ports=[peer.port], ssl_context=authority.client, resolve=resolver)
        with pytest.raises(InvalidRequest, match="did not answer in time"):
            await fetcher.fetch(url(peer), timeout_seconds=0.2)


@pytest.mark.parametrize(
    "wire",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000,
        b"HTTP/1.1 302 Found\r\nLocation: https://[broken\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_a_server_that_speaks_nonsense_is_an_error_of_the_url(fetcher: Fetcher, peer: Peer, wire: bytes) -> None:
    async def nonsense(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(wire)
        await writer.drain()

    peer.answer = nonsense
    with pytest.raises(InvalidRequest) as caught:
        await fetcher.fetch(url(peer))
    assert codes(caught.value)[0] in {"url_unreachable", "url_not_allowed"}


async def test_a_name_without_address_and_a_closed_port_are_unreachable(fetcher: Fetcher, peer: Peer) -> None:
    with pytest.raises(InvalidRequest, match="could not be reached"):
        await fetcher.fetch(url(peer, host="gone.test"))
    with pytest.raises(InvalidRequest, match="could not be reached"):
        await fetcher.check_url(url(peer, host="gone.test"))
    deaf = Fetcher(allow=["127.0.0.1/32"], ports=[1], resolve=resolve)
    with pytest.raises(InvalidRequest, match="could not be reached"):
        await deaf.fetch("https://files.test:1/")


async def test_the_next_address_is_tried_when_one_does_not_answer(authority: Authority, peer: Peer) -> None:
    async def two(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]

    peer.answer = response(PNG)
    fetcher = Fetcher(allow=["127.0.0.0/8", "::1/128"], ports=[peer.port], ssl_context=authority.client, resolve=two)
    assert (await fetcher.fetch(url(peer))).data == PNG


async def test_a_post_arrives_whole_and_returns_the_status(fetcher: Fetcher, peer: Peer) -> None:
    body = json.dumps({"type": "image.succeeded"}).encode()
    peer.answer = response(b"ok", status="202 Accepted")
    headers = {"Content-Type": "application/json", "Webhook-Id": "1"}
    assert await fetcher.post(url(peer, "/hook"), body, headers) == 202
    [request] = peer.requests
    assert request.line == "POST /hook HTTP/1.1"
    assert request.body == body
    assert request.headers["webhook-id"] == "1"
    assert request.headers["host"] == f"files.test:{peer.port}"


async def test_a_post_does_not_follow_redirects(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(status="307 Temporary Redirect", location="/elsewhere")
    assert await fetcher.post(url(peer), b"{}", {}) == 307
    assert len(peer.requests) == 1


async def test_checking_a_url_connects_to_nobody(fetcher: Fetcher, peer: Peer) -> None:
    await fetcher.check_url(url(peer))
    assert peer.server_names == []


async def test_many_fetches_at_once_leave_nothing_open(fetcher: Fetcher, peer: Peer) -> None:
    peer.answer = response(PNG)
    fetched = await asyncio.gather(*(fetcher.fetch(url(peer)) for _ in range(40)))
    assert {each.data for each in fetched} == {PNG}
    await fetcher.close()
