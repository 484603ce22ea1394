"""An https server on loopback that says exactly what a test scripts, and notes who came; with its own authority."""

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority and one certificate it signed, for `names` and addresses; `file` is for other programs."""

    server: ssl.SSLContext
    client: ssl.SSLContext
    file: Path

    @classmethod
    def make(cls, directory: Path, names: list[str]) -> "Authority":
        authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        authority = _certificate("Test authority", authority_key, "Test authority", authority_key, None)
        certificate = _certificate("Test authority", authority_key, "Test server", server_key, names)
        pem, chain = serialization.Encoding.PEM, directory / "chain.pem"
        key = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        chain.write_bytes(key + certificate.public_bytes(pem))
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(chain)
        client = ssl.create_default_context(cadata=authority.public_bytes(pem).decode())
        file = directory / "authority.pem"
        file.write_bytes(authority.public_bytes(pem))
        return cls(server, client, file)


@dataclass(slots=True)
class Request:
    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass(slots=True)
class Peer:
    port: int = 0
    answer: Answer | None = None
    connections: int = 0
    server_names: list[str | None] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)


@asynccontextmanager
async def https_peer(authority: Authority, host: str = "127.0.0.1") -> AsyncIterator[Peer]:
    """Answers every request with `peer.answer`; one request a connection."""
    peer = Peer()
    authority.server.sni_callback = lambda _socket, name, _context: peer.server_names.append(name)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            peer.requests.append(request)
            assert peer.answer
            await peer.answer(request, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client hung up, which is what some tests are about
        finally:
            writer.close()

    server = await asyncio.start_server(serve, host, 0, ssl=authority.server)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()


@asynccontextmanager
async def tls_in_front(authority: Authority, port: int, target: int) -> AsyncIterator[None]:
    """What a reverse proxy with TLS does: https on `port`, plain to `target`, both on loopback."""

    async def serve(client: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        server, forward = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(_pour(client, forward), _pour(server, back))

    listener = await asyncio.start_server(serve, "127.0.0.1", port, ssl=authority.server)
    try:
        yield
    finally:
        listener.close()


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    except (ConnectionError, ssl.SSLError):
        pass  # the other side hung up
    finally:
        sink.close()


@asynccontextmanager
async def canary(host: str, port: int = 0) -> AsyncIterator[Peer]:
    """Listens and counts who connects at all; nobody should."""
    peer = Peer()

    async def count(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer.connections += 1
        writer.close()

    server = await asyncio.start_server(count, host, port)
    peer.port = server.sockets[0].getsockname()[1]
    try:
        yield peer
    finally:
        server.close()


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("tls"), ["files.test", "other.test", "127.0.0.1"])


@pytest.fixture
async def peer(authority: Authority) -> AsyncIterator[Peer]:
    async with https_peer(authority) as server:
        yield server


def response(body: bytes = b"", status: str = "200 OK", **headers: str) -> Answer:
    """Sends one whole response; `content_type="image/png"` becomes `Content-Type: image/png`."""
    lines = [f"HTTP/1.1 {status}", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    if "content_length" not in headers:
        lines.append(f"Content-Length: {len(body)}")

    async def send(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()

    return send


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    line, *rest = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (entry.partition(":") for entry in rest)}
    return Request(line, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def _certificate(
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    names: list[str] | None,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
    else:
        usage = dict.fromkeys(
            ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"], False
        )
        signing = x509.KeyUsage(**usage, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
        builder = builder.add_extension(signing, critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
