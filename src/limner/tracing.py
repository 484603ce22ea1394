"""Follows a call through the house: which request a generation came from, and spans where an operator collects them.

Spans are OpenTelemetry's, sent by its own exporter (the extra `limner[otel]`). Without a collector nothing is
loaded and a span costs a function call. No prompt, key or address of a picture ever stands in one.
"""

from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from structlog.typing import EventDict, WrappedLogger

from limner import __version__

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

Kind = Literal["internal", "server", "client", "consumer"]
Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class Origin:
    """The request a generation came from; its row keeps it, so that the run knows it in whatever process."""

    request_id: str
    door: str
    traceparent: str | None = None


class Span(Protocol):
    def note(self, **facts: Value) -> None: ...

    def fail(self, code: str) -> None: ...


@dataclass(slots=True)  # made once a request: frozen ones cost twice as much
class _Here:
    """What the running task works on; `door` is None where a generation runs, whose origin is known."""

    request_id: str | None
    door: str | None = None
    generation_id: str | None = None
    came_from: Origin | None = None


_here: ContextVar[_Here | None] = ContextVar("limner_here", default=None)
_tracer: "Tracer | None" = None


def origin() -> Origin | None:
    """The request that is being answered here, or whose generation runs here."""
    here = _here.get()
    if here is None or here.request_id is None or here.door is None:
        return here and here.came_from
    return Origin(here.request_id, here.door, _traceparent())


def answering(request_id: str, door: str) -> None:
    """From here on this task answers a request: its log lines carry the id, its generations remember it."""
    _here.set(_Here(request_id, door))


@contextmanager
def running(generation_id: str, came_from: Origin | None) -> Generator[None]:
    """What happens inside is the run of this generation, which its log lines name."""
    token = _here.set(_Here(came_from and came_from.request_id, None, generation_id, came_from))
    try:
        yield
    finally:
        _here.reset(token)


def with_ids(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A step of the log: which request and which generation a line is about."""
    if (here := _here.get()) is not None:
        for name, value in (("request_id", here.request_id), ("generation_id", here.generation_id)):
            if value is not None:
                event.setdefault(name, value)
    return event


def is_collected() -> bool:
    """Whether anybody wants spans: where facts cost something to gather, ask first."""
    return _tracer is not None


def span(
    name: str, *, kind: Kind = "internal", parent: str | None = None, facts: Mapping[str, Value] | None = None
) -> AbstractContextManager[Span]:
    """A step and how long it took; `parent` is a W3C traceparent where the step before was elsewhere."""
    if _tracer is None:
        return NO_SPAN
    return _recorded(_tracer, name, kind, parent, {f"limner.{key}": value for key, value in (facts or {}).items()})


@contextmanager
def exporting(endpoint: str | None, headers: Mapping[str, str]) -> Generator[None]:
    """Send the spans of this process to the OTLP collector at `endpoint` while the block runs; to nobody for None.

    Raises ImportError without the extra. The standard `OTEL_…` variables (sampler, resource attributes, time limits) count too.
    """
    if endpoint is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise ImportError("traces need the extra limner[otel]: pip install 'limner[otel]'") from None
    with _collecting(OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers))):
        yield


@contextmanager
def _collecting(exporter: "SpanExporter") -> Generator[None]:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    global _tracer
    resource = Resource.create({"service.name": "limner", "service.version": __version__})
    # Ours alone, never the global one: libraries that trace by themselves would tell the collector arguments.
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    _tracer = provider.get_tracer("limner", __version__)
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()


def _traceparent() -> str | None:
    if _tracer is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


@contextmanager
def _recorded(
    tracer: "Tracer", name: str, kind: Kind, parent: str | None, facts: Mapping[str, Value]
) -> Generator[Span]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    with tracer.start_as_current_span(
        name, context, SpanKind[kind.upper()], facts, record_exception=False, set_status_on_exception=False
    ) as recorded:
        step = _Recorded(recorded)
        try:
            yield step
        except Exception as problem:
            step.fail(str(getattr(problem, "code", type(problem).__name__)))
            raise


class _Recorded:
    """Failures by their code alone: what an exception says may quote a prompt."""

    __slots__ = ("_span",)

    def __init__(self, span: "OtelSpan") -> None:
        self._span = span

    def note(self, **facts: Value) -> None:
        for name, value in facts.items():
            self._span.set_attribute(f"limner.{name}", value)

    def fail(self, code: str) -> None:
        from opentelemetry.trace import Status, StatusCode

        self._span.set_attribute("error.type", code)
        self._span.set_status(Status(StatusCode.ERROR, code))


class _Nothing:
    def note(self, **facts: Any) -> None: ...

    def fail(self, code: str) -> None: ...


NO_SPAN: AbstractContextManager[Span] = nullcontext(_Nothing())
