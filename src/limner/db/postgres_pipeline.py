"""What is said to PostgreSQL and heard of it: statements leave together, and only some answers are waited for.

libpq's pipeline mode (PostgreSQL's manual, "Pipeline Mode"): what is sent is written down, and leaves with the first
statement whose answer is needed.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
from psycopg import errors, pq
from psycopg.adapt import PyFormat, Transformer
from psycopg.rows import DictRow

from limner.db.params import bound, to_numbered
from limner.db.postgres_connection import Connection

PREPARED_MAX = 512

Answer = pq.abc.PGresult

_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.BAD_RESPONSE, pq.ExecStatus.NONFATAL_ERROR)

_Statement = tuple[str, tuple[int, ...]]
"""Its text and the types of its parameters: what it is prepared for."""


class Waiting(Protocol):
    """How one waits for PostgreSQL: in a thread of one's own, or while the event loop does something else."""

    def until_ready(self, *, to_write: bool = False) -> None:
        """Returns when there may be something to hear or, `to_write`, room to say more."""
        ...

    def end(self) -> None:
        """The connection is about to be closed."""
        ...


class Pipeline:
    """One connection's; `closed` when it is lost, and whenever waiting for an answer was broken off."""

    def __init__(self, connection: Connection, waiting: Waiting) -> None:
        self.closed = False
        self._connection = connection
        self._waiting = waiting
        self._pg = connection.pgconn
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        self._awaited = 0
        self._prepared: OrderedDict[_Statement, bytes] = OrderedDict()
        self._names = 0
        self._preparing: list[tuple[int, _Statement]] = []  # with the place of its answer

    def send(self, sql: str, params: dict[str, Any]) -> None:
        """Write a statement down; it leaves with the next `answers`."""
        text, names = to_numbered(sql)
        given = bound(params)
        values = [given[name] for name in names]
        dumping = Transformer.from_context(self._connection)
        dumped = dumping.dump_sequence(values, [PyFormat.AUTO] * len(values))
        name = self._name_of((sql, tuple(dumping.types or ())), text)
        self._pg.send_query_prepared(name, dumped, dumping.formats)
        self._awaited += 1

    def sync(self) -> None:
        """The end of a flight: behind a failure PostgreSQL skips everything up to here."""
        self._pg.pipeline_sync()
        self._awaited += 1

    def answers(self) -> list[Answer]:
        """Those of everything that was sent, in order; psycopg.OperationalError when the connection is lost."""
        try:
            self._pg.send_flush_request()
            while self._pg.flush():
                self._hear(to_write=True)
            answers = [self._next() for _ in range(self._awaited)]
        except BaseException:  # nobody could tell any more what the next answer belongs to
            self.close()
            raise
        self._awaited = 0
        self._forget_unprepared(answers)
        return answers

    def rows(self, answer: Answer) -> list[DictRow]:
        loading = Transformer.from_context(self._connection)
        loading.set_pgresult(answer)
        names = [(answer.fname(column) or b"").decode() for column in range(answer.nfields)]
        return loading.load_rows(0, answer.ntuples, lambda values: dict(zip(names, values, strict=True)))

    def notice(self) -> None:
        """Hear what comes while nothing was asked: most often that the server goes."""
        try:
            self._pg.consume_input()
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._waiting.end()
            self._connection.close()

    def _next(self) -> Answer:
        while True:
            while self._pg.is_busy():
                self._hear()
            answer = self._pg.get_result()
            if answer is not None:  # None stands between two statements
                return answer

    def _hear(self, *, to_write: bool = False) -> None:
        self._waiting.until_ready(to_write=to_write)
        self._pg.consume_input()

    def _name_of(self, statement: _Statement, text: bytes) -> bytes:
        """The name it is prepared under; is it new, it is prepared on the way."""
        name = self._prepared.get(statement)
        if name is not None:
            self._prepared.move_to_end(statement)
            return name
        self._names += 1
        self._prepared[statement] = name = b"limner_%d" % self._names
        self._preparing.append((self._awaited, statement))
        self._pg.send_prepare(name, text, statement[1])
        self._awaited += 1
        if len(self._prepared) > PREPARED_MAX:
            _, oldest = self._prepared.popitem(last=False)
            self._pg.send_query_params(b"DEALLOCATE " + oldest, None)
            self._awaited += 1
        return name

    def _forget_unprepared(self, answers: Sequence[Answer]) -> None:
        """What stood behind a failure was skipped."""
        for place, statement in self._preparing:
            if answers[place].status != pq.ExecStatus.COMMAND_OK:
                self._prepared.pop(statement, None)
        self._preparing.clear()


def failure_of(answers: Sequence[Answer]) -> psycopg.Error | None:
    """That of the first statement that failed."""
    for answer in answers:
        if answer.status in _FAILED:
            return errors.error_from_result(answer)
    return None
