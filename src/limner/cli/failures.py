"""What a person is told when a command cannot do its work: one sentence and an exit code, never a traceback."""

from dataclasses import dataclass

from limner.catalog.entries import BadCatalog
from limner.client.failures import LimnerError, ServerUnreachable
from limner.config import BadConfiguration
from limner.db.base import DatabaseUnavailable
from limner.db.lock import AlreadyServed
from limner.db.migrate import DatabaseTooNew
from limner.errors import ServiceError
from limner.providers.comfyui_workflow import BadWorkflow

FAILED = 1
UNUSABLE = 2
AWAY = 75
"""To a supervisor of ours: the database does not answer now, so start another process in a while."""

_UNUSABLE = (BadConfiguration, BadCatalog, BadWorkflow, DatabaseTooNew, AlreadyServed)


class CannotStart(Exception):
    """The server cannot start here; the message is one sentence for the person who starts it."""


class CommandFailed(Exception):
    """What was asked for cannot be done; the message is one sentence."""


@dataclass(frozen=True, slots=True)
class Explained:
    sentence: str
    exit_code: int


def explain(problem: Exception) -> Explained | None:
    """None for what nobody foresaw: that is a bug, and its traceback is wanted."""
    if isinstance(problem, (*_UNUSABLE, CannotStart)):
        return Explained(_sentence(f"{problem}"), UNUSABLE)
    if isinstance(problem, DatabaseUnavailable):
        return Explained(_sentence(f"The database cannot be used: {problem}"), UNUSABLE)
    if isinstance(problem, ServiceError):
        return Explained(_sentence(problem.message), FAILED)
    if isinstance(problem, LimnerError):
        return Explained(_sentence(f"{problem} {problem.next_step}"), FAILED)
    if isinstance(problem, (ServerUnreachable, CommandFailed)):
        return Explained(_sentence(f"{problem}"), FAILED)
    if isinstance(problem, OSError):
        return Explained(_sentence(f"{problem}"), FAILED)
    return None


def _sentence(text: str) -> str:
    """One line, whatever a library put into its message."""
    return f"{' '.join(text.split()).rstrip('.')}."
