"""What goes out in one packet, and that nothing waits longer than the task that wrote it."""

import asyncio

import pytest

from limner.http.writing import SHORT_BYTES, JoinedWrites

HEAD, BODY = b"HTTP/1.1 200 OK\r\n\r\n", b"body"
LARGE = bytes(SHORT_BYTES + 1)


class Wire(asyncio.Transport):
    """Remembers what each write handed over."""

    def __init__(self) -> None:
        super().__init__()
        self.packets: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closed
        self.packets.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_write_buffer_size(self) -> int:
        return 0


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def test_a_head_goes_out_with_the_body_behind_it(wire: Wire) -> None:
    joined = JoinedWrites(wire)
    joined.write(HEAD)
    joined.write(BODY)
    assert wire.packets == [HEAD + BODY]
    await asyncio.sleep(0)
    assert wire.packets == [HEAD + BODY]


async def test_a_head_alone_goes_out_as_soon_as_its_task_gives_way(wire: Wire) -> None:
    joined = JoinedWrites(wire)
    joined.write(HEAD)
    assert (wire.packets, joined.get_write_buffer_size()) == ([], len(HEAD))
    await asyncio.sleep(0)
    assert (wire.packets, joined.get_write_buffer_size()) == ([HEAD], 0)


async def test_what_is_large_waits_for_nothing(wire: Wire) -> None:
    joined = JoinedWrites(wire)
    joined.write(HEAD)
    joined.write(LARGE)
    joined.write(LARGE)
    assert wire.packets == [HEAD + LARGE, LARGE]


async def test_what_waits_is_sent_before_the_end(wire: Wire) -> None:
    joined = JoinedWrites(wire)
    joined.write(HEAD)
    joined.close()
    assert (wire.packets, wire.is_closed) == ([HEAD], True)


async def test_nothing_is_written_to_a_connection_that_broke_meanwhile(wire: Wire) -> None:
    joined = JoinedWrites(wire)
    joined.write(HEAD)
    wire.is_closed = True
    await asyncio.sleep(0)
    assert wire.packets == []
