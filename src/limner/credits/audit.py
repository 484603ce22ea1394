"""Proves that transactions, holds, balances, caps and generations agree; finds nothing on a healthy server."""

from dataclasses import dataclass

from limner.db.base import Transaction


@dataclass(frozen=True, slots=True)
class Problem:
    """Two things that should agree and do not: `id` names the account, generation or cap."""

    check: str
    id: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Counts:
    """What was looked at."""

    accounts: int
    transactions: int
    holds: int
    open_holds: int
    generations: int


# Each check selects what is wrong: id, expected, found.
CHECKS: dict[str, str] = {
    "the ledger balance is the sum of the transactions": """
        SELECT b.account_id AS id, coalesce(sum(t.amount), 0) AS expected, b.ledger_balance AS found
        FROM balances b LEFT JOIN credit_transactions t ON t.account_id = b.account_id
        GROUP BY b.account_id, b.ledger_balance HAVING coalesce(sum(t.amount), 0) <> b.ledger_balance""",
    "the held credits are the sum of the open holds": """
        SELECT b.account_id AS id, coalesce(sum(h.credits), 0) AS expected, b.held AS found
        FROM balances b LEFT JOIN holds h ON h.account_id = b.account_id AND h.state = 'open'
        GROUP BY b.account_id, b.held HAVING coalesce(sum(h.credits), 0) <> b.held""",
    "the kept number of transactions is their count": """
        SELECT b.account_id AS id, count(t.id) AS expected, b.transactions_total AS found
        FROM balances b LEFT JOIN credit_transactions t ON t.account_id = b.account_id
        GROUP BY b.account_id, b.transactions_total HAVING count(t.id) <> b.transactions_total""",
    "a meter shows the sum of its charges": """
        SELECT account_id AS id, sum(charged) AS expected, sum(shown) AS found
        FROM (SELECT account_id, model_id, caller_id, quarter_hour, 0 AS charged, credits AS shown, -pictures AS pictures
              FROM meters m JOIN readings r ON r.meter_id = m.id
              UNION ALL
              SELECT account_id, model_id, caller_id, quarter_hour,
                     sum(-sum(amount)) OVER until_then, 0, sum(count(*)) OVER until_then
              FROM (SELECT account_id, coalesce(model_id, '') AS model_id,
                           coalesce(api_key_id, connection_id, '') AS caller_id, created_at / 900000 AS quarter_hour, amount
                    FROM credit_transactions WHERE type = 'charge') AS charges
              GROUP BY account_id, model_id, caller_id, quarter_hour
              WINDOW until_then AS (PARTITION BY account_id, model_id, caller_id ORDER BY quarter_hour)) AS both_sides
        GROUP BY account_id, model_id, caller_id, quarter_hour
        HAVING sum(charged) <> sum(shown) OR sum(pictures) <> 0""",
    "the kept number of generations is their count": """
        SELECT b.account_id AS id, count(g.id) AS expected, b.generations_total AS found
        FROM balances b LEFT JOIN generations g ON g.account_id = b.account_id AND g.deleted_at IS NULL
        GROUP BY b.account_id, b.generations_total HAVING count(g.id) <> b.generations_total""",
    "the kept number of images is their count": """
        SELECT b.account_id AS id, count(g.id) AS expected, b.images_total AS found
        FROM balances b LEFT JOIN generations g
            ON g.account_id = b.account_id AND g.deleted_at IS NULL AND g.status = 'succeeded'
        GROUP BY b.account_id, b.images_total HAVING count(g.id) <> b.images_total""",
    "a generation and its hold end together": """
        SELECT g.id AS id, g.status AS expected, coalesce(h.state, 'no hold') AS found
        FROM generations g LEFT JOIN holds h ON h.generation_id = g.id
        WHERE coalesce(h.state, '') <> CASE g.status WHEN 'succeeded' THEN 'captured'
              WHEN 'queued' THEN 'open' WHEN 'running' THEN 'open' ELSE 'released' END""",
    "a hold belongs to a generation": """
        SELECT h.generation_id AS id, 'a generation' AS expected, 'none' AS found
        FROM holds h LEFT JOIN generations g ON g.id = h.generation_id WHERE g.id IS NULL""",
    "a captured hold was charged exactly once, in full": """
        SELECT h.generation_id AS id, h.credits AS expected, coalesce(sum(-t.amount), 0) AS found
        FROM holds h LEFT JOIN credit_transactions t ON t.reference_id = h.generation_id AND t.type = 'charge'
        WHERE h.state = 'captured' GROUP BY h.generation_id, h.credits
        HAVING count(t.id) <> 1 OR sum(-t.amount) <> h.credits""",
    "a charge belongs to a captured hold": """
        SELECT t.id AS id, 'captured' AS expected, coalesce(h.state, 'no hold') AS found
        FROM credit_transactions t LEFT JOIN holds h ON h.generation_id = t.reference_id
        WHERE t.type = 'charge' AND coalesce(h.state, '') <> 'captured'""",
    "a cap counts what was captured and is held in its period": """
        SELECT c.owner_id AS id, coalesce(sum(h.credits), 0) AS expected, c.spent AS found
        FROM caps c LEFT JOIN capped_holds ch ON ch.owner_id = c.owner_id AND ch.period_start = c.period_start
        LEFT JOIN holds h ON h.generation_id = ch.generation_id AND h.state IN ('open', 'captured')
        GROUP BY c.owner_id, c.spent HAVING coalesce(sum(h.credits), 0) <> c.spent""",
}


def problems(tx: Transaction) -> list[Problem]:
    """Every disagreement inside the database; whether each image's bytes are there is the caller's to ask the store."""
    return [
        Problem(check, row["id"], str(row["expected"]), str(row["found"]))
        for check, sql in CHECKS.items()
        for row in tx.all(sql)
    ]


def counts(tx: Transaction) -> Counts:
    return Counts(
        accounts=tx.scalar("SELECT count(*) FROM accounts"),
        transactions=tx.scalar("SELECT count(*) FROM credit_transactions"),
        holds=tx.scalar("SELECT count(*) FROM holds"),
        open_holds=tx.scalar("SELECT count(*) FROM holds WHERE state = 'open'"),
        generations=tx.scalar("SELECT count(*) FROM generations"),
    )
