"""How the server logs: lines for a person on a terminal, one JSON object per line anywhere else."""

import logging
import sys
from functools import cache
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from limner.tracing import with_ids

Format = Literal["auto", "text", "json"]
Level = Literal["debug", "info", "warning", "error"]

SECRET_WORDS = ("authorization", "api_key", "password", "secret", "token", "cookie")


def set_up(level: Level, form: Format) -> None:
    """Send what structlog and the standard library log to stderr; `auto` is JSON where that is no terminal."""
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        with_ids,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if as_json else "%H:%M:%S", utc=as_json),
        _without_secrets,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_drawing(as_json)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in ("httpx2", "httpcore2", "mcp", "alembic", "uvicorn"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))


def _without_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A second wall: nobody logs secrets, and a field that is called like one is not shown either."""
    for name in event:
        if _is_called_like_a_secret(name):
            event[name] = "…"
    return event


@cache
def _is_called_like_a_secret(name: str) -> bool:
    return any(word in name.lower() for word in SECRET_WORDS)


def _drawing(as_json: bool) -> list[Processor]:
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if as_json:
        return [without_meta, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    plain = structlog.dev.plain_traceback
    return [without_meta, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
