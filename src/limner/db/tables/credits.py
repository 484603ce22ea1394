"""What is paid and with what: balances, the ledger, holds, caps, purchases and codes."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from limner.db.tables.schema import UtcTime, metadata, of_few

balances = Table(
    "balances",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("ledger_balance", BigInteger, nullable=False, server_default="0"),
    Column("held", BigInteger, nullable=False, server_default="0"),
    Column("transactions_total", BigInteger, nullable=False, server_default="0"),
    Column("generations_total", BigInteger, nullable=False, server_default="0"),
    Column("images_total", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("held >= 0", name="held"),
)
"""The guarded running totals of an account: the one hot row of every spend. `limner audit` proves them."""

credit_transactions = Table(
    "credit_transactions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("reference_id", Text),
    Column("api_key_id", Text),
    Column("connection_id", Text),
    Column("model_id", Text),
    Column("unique_key", Text, unique=True),
    Column("balance_after", BigInteger, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    CheckConstraint(
        "type IN ('charge', 'refund', 'purchase', 'purchase_refund', 'grant', 'adjustment', 'chargeback')", name="type"
    ),
    Index(None, "account_id", "id"),
    Index(None, "account_id", "model_id", "id"),
    Index(None, "account_id", "api_key_id", "id"),
    Index(None, "reference_id"),
)
"""The ledger: append-only, which triggers enforce. `unique_key` makes an outside event count once."""

meters = Table(
    "meters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("model_id", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    UniqueConstraint("account_id", "model_id", "caller_id"),
    info={"follows": "credit_transactions"},
)
"""Each counts what one caller of an account spends on one model; empty text where there is no model or no key."""

readings = Table(
    "readings",
    metadata,
    Column("meter_id", Integer, ForeignKey("meters.id"), primary_key=True, autoincrement=False),
    Column("quarter_hour", BigInteger, primary_key=True, autoincrement=False),
    Column("credits", BigInteger, nullable=False),
    Column("pictures", BigInteger, nullable=False),
    info={"follows": "credit_transactions"},
    sqlite_with_rowid=False,
)
"""What a meter showed at the end of a quarter hour (counted since the epoch) in which something was charged: everything
until then. A trigger on the ledger keeps meters and readings; `limner audit` proves them."""

holds = Table(
    "holds",
    metadata,
    Column("generation_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("opened_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    CheckConstraint("state IN ('open', 'captured', 'released')", name="state"),
    CheckConstraint("credits >= 0", name="credits"),
    of_few("state = 'open'", "ix_holds_open", "account_id"),
)

caps = Table(
    "caps",
    metadata,
    Column("owner_id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("limit_credits", BigInteger, nullable=False),
    Column("period", Text, nullable=False),
    Column("period_start", UtcTime, nullable=False, server_default="0"),
    Column("spent", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("period IN ('day', 'week', 'month', 'total')", name="period"),
    CheckConstraint("limit_credits >= 0", name="limit"),
)
"""A spend cap of an API key or a connection; `spent` is captured plus held in the period that began at `period_start`."""

capped_holds = Table(
    "capped_holds",
    metadata,
    Column("generation_id", Text, ForeignKey("holds.generation_id"), primary_key=True),
    Column("owner_id", Text, ForeignKey("caps.owner_id"), primary_key=True),
    Column("period_start", UtcTime, nullable=False),
)
"""Which caps a hold counts against, in the period it was opened in."""

purchases = Table(
    "purchases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False),
    Column("credits", BigInteger, nullable=False),
    Column("price_cents", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("checkout_id", Text, unique=True),
    Column("payment_id", Text, unique=True),
    Column("receipt_url", Text),
    Column("returned_cents", BigInteger, nullable=False, server_default="0"),
    Column("returned_credits", BigInteger, nullable=False, server_default="0"),
    Column("created_at", UtcTime, nullable=False),
    Column("paid_at", UtcTime),
    CheckConstraint("status IN ('open', 'paid', 'abandoned')", name="status"),
    Index(None, "account_id", "id"),
    Index(None, "status", "created_at"),
)
"""Credits somebody set out to buy; `returned_…` is what refunds and disputes took back so far."""

credit_codes = Table(
    "credit_codes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("credits", BigInteger, nullable=False),
    Column("uses_left", Integer, nullable=False),
    Column("description", Text, nullable=False),
    Column("expires_at", UtcTime),
    Column("created_at", UtcTime, nullable=False),
    Column("revoked_at", UtcTime),
    CheckConstraint("uses_left >= 0", name="uses_left"),
    CheckConstraint("credits > 0", name="credits"),
)
"""Codes that can be redeemed for credits, once per account; the code itself is nowhere."""
