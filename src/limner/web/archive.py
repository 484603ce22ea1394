"""A zip that is sent while it is made: one picture in memory at a time."""

import io
import zipfile
from typing import Any


class Archive:
    """Nothing is compressed: pictures are already."""

    def __init__(self) -> None:
        self._buffer = io.BytesIO()
        self._zip = zipfile.ZipFile(_Forward(self._buffer), "w", zipfile.ZIP_STORED)

    def add(self, name: str, data: bytes) -> bytes:
        """What to send next."""
        self._zip.writestr(name, data)
        return self._drained()

    def end(self) -> bytes:
        self._zip.close()
        return self._drained()

    def _drained(self) -> bytes:
        data = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        return data


class _Forward(io.RawIOBase):
    """Lets a zip be written to something that is emptied as it goes: positions count on, nothing is read back."""

    def __init__(self, buffer: io.BytesIO) -> None:
        self._buffer = buffer
        self._position = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        count = self._buffer.write(data)
        self._position += count
        return count

    def tell(self) -> int:
        return self._position

    def seekable(self) -> bool:
        return False
