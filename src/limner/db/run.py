"""How a transaction function is run, whichever database it is for."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from limner.db.base import Transaction

T = TypeVar("T")


class RunningTransaction(Transaction, Protocol):
    failure: Exception | None
    """That of the first statement that failed."""


def run(fn: Callable[[Transaction], T], tx: RunningTransaction) -> T:
    """What `fn` returns; raises the failure of a statement also when `fn` caught it."""
    try:
        result = fn(tx)
    except StopIteration as error:  # the one exception that a future refuses, and its caller would wait for ever
        raise RuntimeError("the transaction raised StopIteration") from error
    if tx.failure is not None:
        raise tx.failure
    return result
