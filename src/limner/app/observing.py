"""Who is told how this process does, where the operator named somebody: a trace collector, Sentry."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from limner import reports, tracing
from limner.config import BadConfiguration, Config


@contextmanager
def observed(config: Config) -> Generator[None]:
    """Raises BadConfiguration for what cannot be reported to."""
    with ExitStack() as stack:
        with _saying("SENTRY_DSN"):
            stack.enter_context(reports.reporting(config.sentry_dsn))
        with _saying("OTLP_ENDPOINT"):
            stack.enter_context(tracing.exporting(config.otlp_endpoint, config.otlp_headers))
        yield


@contextmanager
def _saying(name: str) -> Generator[None]:
    try:
        yield
    except (ImportError, ValueError) as problem:
        raise BadConfiguration(f"LIMNER_{name} is set, but {problem}.") from None
