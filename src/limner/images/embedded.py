"""What a picture's own bytes say of how it was made: IPTC's digital source type, and C2PA (content credentials)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from limner.images import png
from limner.images.content_credentials import Credentials, CredentialsReader
from limner.images.pictures import opened
from limner.images.provenance import named_source

_JPEG_START = b"\xff\xd8"
_JPEG_C2PA = re.compile(rb"JP.{6}....jumb", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Both None where the picture says nothing."""

    digital_source_type: str | None = None
    credentials: Credentials | None = None

    def as_data(self) -> dict[str, Any]:
        return {
            "digitalSourceType": self.digital_source_type,
            "c2pa": None if self.credentials is None else asdict(self.credentials),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Provenance":
        c2pa = data["c2pa"]
        return cls(data["digitalSourceType"], None if c2pa is None else Credentials(**c2pa))


def read(data: bytes, media_type: str, reader: CredentialsReader) -> Provenance:
    """What the picture says; its signature is checked where `reader` can."""
    store = manifest_store(data)
    credentials = reader.read(data, media_type) if store is not None else None
    return Provenance(named_source(_xmp(data)) or named_source(store or b""), credentials)


def manifest_store(data: bytes) -> bytes | None:
    """The bytes of the C2PA manifest store, unread; None for a picture without one."""
    if data.startswith(png.SIGNATURE):
        found = [bytes(content) for kind, content in png.chunks(data) if kind == b"caBX"]
    elif data.startswith(_JPEG_START):
        found = [body for kind, body in _jpeg_segments(data) if kind == 0xEB and _JPEG_C2PA.match(body)]
    else:
        found = [body for kind, body in _riff_chunks(data) if kind == b"C2PA"]
    return b"".join(found) if found else None


def _xmp(data: bytes) -> bytes:
    with opened(data) as image:
        packet = image.info.get("xmp")
    return packet.encode() if isinstance(packet, str) else packet if isinstance(packet, bytes) else b""


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Up to the picture itself."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        length = int.from_bytes(data[at + 2 : at + 4])
        yield data[at + 1], data[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        yield kind, data[at + 8 : at + 8 + length] if kind == b"C2PA" else b""
        at += 8 + length + length % 2
