"""Tells Sentry (or what speaks its protocol) of the errors that are logged: the extra `limner[sentry]`.

A report says where the code failed and which request or generation it was, nothing of what was asked:
no request, no local variables, no prompts, and of an exception only its class and place.
"""

import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from limner import __version__

if TYPE_CHECKING:
    from sentry_sdk import Client
    from sentry_sdk.types import Event, Hint

TOLD = frozenset({"request_id", "generation_id", "account_id", "provider", "check", "code", "path"})
"""The fields of a log line that a report repeats; anything else could hold what people wrote."""

FLUSH_SECONDS = 2.0
_LINKS = "/i/"


@contextmanager
def reporting(dsn: str | None) -> Generator[None]:
    """Report what is logged as an error while the block runs, to nobody for None. Raises ImportError without the extra, ValueError."""
    if dsn is None:
        yield
        return
    client = _client(dsn)
    handler = _Reporter(client)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        client.close(timeout=FLUSH_SECONDS)


def _client(dsn: str) -> "Client":
    try:
        from sentry_sdk import Client
        from sentry_sdk.utils import BadDsn
    except ImportError:
        raise ImportError("reports need the extra limner[sentry]: pip install 'limner[sentry]'") from None
    try:
        return Client(
            dsn,
            release=f"limner@{__version__}",
            default_integrations=False,
            auto_enabling_integrations=False,
            auto_session_tracking=False,
            send_client_reports=False,
            include_local_variables=False,
            max_breadcrumbs=0,
            before_send=_scrubbed,
        )
    except BadDsn:
        raise ValueError("it is not the address of a Sentry project (https://KEY@HOST/NUMBER)") from None


class _Reporter(logging.Handler):
    """On the root logger, so that it hears our own lines and those of every library alike."""

    def __init__(self, client: "Client") -> None:
        super().__init__(logging.ERROR)
        self._client = client

    def emit(self, record: logging.LogRecord) -> None:
        from sentry_sdk.utils import event_from_exception

        said_as: object = record.msg  # a dict where structlog said it, whatever the types promise
        fields = cast("dict[str, Any]", said_as) if isinstance(said_as, dict) else {"event": said_as}
        said = {name: _told(name, value) for name, value in fields.items() if name in TOLD}
        problem = fields.get("exc_info") or (record.exc_info and record.exc_info[1])
        event: Event = {"level": "error", "logger": record.name, "tags": said}
        if problem:
            caught = problem if isinstance(problem, BaseException) else sys.exc_info()
            found, _ = event_from_exception(caught, client_options=self._client.options)
            event = {**found, **event}
        event["logentry"] = {"message": str(fields.get("event"))}
        self._client.capture_event(event)


def _told(name: str, value: object) -> str:
    text = str(value)
    return _LINKS if name == "path" and text.startswith(_LINKS) else text


def _scrubbed(event: "Event", hint: "Hint") -> "Event":
    """A second wall. What an exception says may quote a prompt or a supplier; its class and place are enough."""
    for exception in (event.get("exception") or {}).get("values", []):
        exception["value"] = ""
    for unwanted in ("request", "user", "extra", "breadcrumbs", "server_name", "modules"):
        cast("dict[str, Any]", event).pop(unwanted, None)
    return event
