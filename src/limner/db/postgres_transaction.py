"""Transactions on a `Pipeline`: BEGIN travels with the first statement, COMMIT with what was posted last."""

from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg import errors, pq

from limner.db.base import DatabaseUnavailable, Row, Transaction
from limner.db.postgres_connection import named
from limner.db.postgres_pipeline import Answer, Pipeline, failure_of
from limner.db.run import run

T = TypeVar("T")


def write(pipeline: Pipeline, fn: Callable[[Transaction], T]) -> T:
    tx = PostgresTransaction(pipeline)
    try:
        tx.post("BEGIN")
        result = run(fn, tx)
        tx.commit()
    except BaseException:
        _abandon(pipeline)
        raise
    return result


def read_now(pipeline: Pipeline, fn: Callable[[Transaction], T]) -> T:
    return run(fn, PostgresTransaction(pipeline, each_by_itself=True))


def read_one_moment(pipeline: Pipeline, fn: Callable[[Transaction], T]) -> T:
    tx = PostgresTransaction(pipeline)
    try:
        tx.post("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        return run(fn, tx)
    finally:
        _abandon(pipeline)


class PostgresTransaction:
    """A `Transaction`; `failure` is that of the first statement that failed, known once an answer is waited for.

    With `each_by_itself` every statement is a transaction of its own, as reads are.
    """

    __slots__ = ("_each_by_itself", "_pipeline", "failure")

    def __init__(self, pipeline: Pipeline, *, each_by_itself: bool = False) -> None:
        self._pipeline = pipeline
        self._each_by_itself = each_by_itself
        self.failure: Exception | None = None

    def post(self, sql: str, /, **params: Any) -> None:
        if self._each_by_itself:
            self._ask(sql, params)
        else:
            self._send(sql, params)

    def execute(self, sql: str, /, **params: Any) -> int:
        return self._ask(sql, params).command_tuples or 0

    def first(self, sql: str, /, **params: Any) -> Row | None:
        rows = self._pipeline.rows(self._ask(sql, params))
        return rows[0] if rows else None

    def all(self, sql: str, /, **params: Any) -> list[Row]:
        return list(self._pipeline.rows(self._ask(sql, params)))

    def scalar(self, sql: str, /, **params: Any) -> Any:
        rows = self._pipeline.rows(self._ask(sql, params))
        return next(iter(rows[0].values())) if rows else None

    def commit(self) -> None:
        """With what was posted last. A failure before COMMIT is that of its statement; one of COMMIT itself may be none."""
        self._send("COMMIT", {})
        try:
            self._pipeline.sync()
            answers = self._pipeline.answers()
        except psycopg.Error as error:  # lost on the way: it may have happened, so it is not run again
            raise DatabaseUnavailable(f"PostgreSQL did not confirm the commit: {error}") from error
        failure = failure_of(answers)
        if failure is None:
            return
        of_commit = answers[-2].status != pq.ExecStatus.PIPELINE_ABORTED  # the last answers the end of the flight
        is_undone = isinstance(failure, errors.SerializationFailure | errors.DeadlockDetected)
        if of_commit and isinstance(failure, psycopg.OperationalError) and not is_undone:
            raise DatabaseUnavailable(f"PostgreSQL did not confirm the commit: {failure}") from failure
        raise self._failed(failure) from failure

    def _ask(self, sql: str, params: dict[str, Any]) -> Answer:
        self._send(sql, params)
        try:
            if self._each_by_itself:
                self._pipeline.sync()
            answers = self._pipeline.answers()
            failure = failure_of(answers)
        except psycopg.Error as error:
            raise self._failed(error) from error
        if failure is not None:
            raise self._failed(failure) from failure
        return answers[-2 if self._each_by_itself else -1]

    def _send(self, sql: str, params: dict[str, Any]) -> None:
        if self.failure is not None:
            raise self.failure
        try:
            self._pipeline.send(sql, params)
        except psycopg.Error as error:
            raise self._failed(error) from error

    def _failed(self, error: psycopg.Error) -> Exception:
        if isinstance(error, errors.FeatureNotSupported):
            self._pipeline.close()  # a prepared statement from before a migration: start with none
        self.failure = named(error)
        return self.failure


def _abandon(pipeline: Pipeline) -> None:
    """Roll back; a connection that cannot even do that is given up."""
    if pipeline.closed:
        return
    try:
        pipeline.sync()  # behind a failure nothing is heard before the flight has ended
        pipeline.send("ROLLBACK", {})
        pipeline.sync()
        pipeline.answers()
    except psycopg.Error:
        pipeline.close()
