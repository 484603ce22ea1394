"""What the processes of one service agree on: secrets and rate limits."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from limner.db.tables.schema import UtcTime, metadata

secrets = Table(
    "secrets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("purpose", Text, nullable=False),
    Column("value", LargeBinary, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("retired_at", UtcTime),
    Index(None, "purpose"),
)

rate_limits = Table(
    "rate_limits",
    metadata,
    Column("bucket", Text, primary_key=True),
    Column("full_at", UtcTime, nullable=False),
)
"""GCRA: `full_at` is the theoretical arrival time of the bucket."""
