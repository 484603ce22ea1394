"""Sends the head of an answer in one packet with the start of its body.

The server below writes them apart, and every write costs a system call and wakes whoever reads: together more than a
short answer takes to make.
"""

import asyncio
from typing import Any

SHORT_BYTES = 4096


class JoinedWrites:
    """A transport on which something short waits for what is written right after it.

    It waits no longer than until the task that wrote it gives way, so that a stream's head and events go out at once.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._waiting = b""

    def write(self, data: bytes) -> None:
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            self._transport.writelines((waiting, data))
        elif len(data) <= SHORT_BYTES:
            self._waiting = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """What waits is sent before."""
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def get_write_buffer_size(self) -> int:
        return len(self._waiting) + self._transport.get_write_buffer_size()

    def get_extra_info(self, name: str) -> Any:
        return self._transport.get_extra_info(name)

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, b""
        if waiting and not self._transport.is_closing():
            self._transport.write(waiting)
