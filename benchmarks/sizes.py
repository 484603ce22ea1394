"""How much a run does: the full size for figures worth keeping, a tiny one that only shows that everything still works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    rounds: int
    requests: int
    images: int
    waiting: int
    waiting_seconds: int
    results: int
    rows: int
    pages: int
    ledger_steps: int
    ledger_accounts: int


FULL = Size(
    rounds=7,
    requests=1500,
    images=60,
    waiting=10_000,
    waiting_seconds=20,
    results=200,
    rows=1_000_000,
    pages=60,
    ledger_steps=8_000,
    ledger_accounts=1000,
)
TINY = Size(
    rounds=1,
    requests=20,
    images=2,
    waiting=5,
    waiting_seconds=1,
    results=2,
    rows=200,
    pages=2,
    ledger_steps=50,
    ledger_accounts=5,
)
