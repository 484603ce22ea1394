"""The ledger's own checks, run regularly on the living server: a disagreement is an alarm, not a surprise."""

import structlog

from limner import metrics
from limner.credits import audit
from limner.credits.audit import Problem
from limner.db.base import Database

log = structlog.stdlib.get_logger(__name__)


class SelfAudit:
    """`problems` are those of the last run, None before the first: what the metric `limner_audit_problems` shows.

    Whether each picture's bytes are there is left to `limner audit`: it asks the store for every one of them.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.problems: list[Problem] | None = None

    async def run(self) -> None:
        self.problems = await self._database.read_slowly(audit.problems)
        metrics.AUDIT_PROBLEMS.set(len(self.problems))
        metrics.AUDITED_AT.set_to_current_time()
        for problem in self.problems:
            log.error(
                "the books disagree",
                check=problem.check,
                id=problem.id,
                expected=problem.expected,
                found=problem.found,
            )
