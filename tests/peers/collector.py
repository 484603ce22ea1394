"""Stand-ins on the loopback for what an operator sends to: an OTLP trace collector and a Sentry server."""

import gzip
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Told:
    """What arrived: path, headers and the body as it was before it was packed."""

    origin: str = ""
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def everything(self) -> bytes:
        return b"\n".join(body for _, _, body in self.requests)

    @property
    def spans(self) -> list[Span]:
        """Of an OTLP exporter."""
        return [
            span
            for path, _, body in self.requests
            if path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    @property
    def reports(self) -> list[dict[str, Any]]:
        """Of a Sentry client: an envelope is lines of JSON, an item's header before its payload."""
        return [
            orjson.loads(payload)
            for path, _, body in self.requests
            if path.endswith("/envelope/")
            for header, payload in _items(body.split(b"\n"))
            if header["type"] == "event"
        ]


@contextmanager
def collecting() -> Generator[Told]:
    told = Told()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            told.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        told.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


def _items(lines: list[bytes]) -> Generator[tuple[dict[str, Any], bytes]]:
    rest = iter(lines[1:])
    for header in rest:
        if header:
            yield orjson.loads(header), next(rest)


def facts(span: Span) -> dict[str, Any]:
    """A span's attributes by name."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in span.attributes}
