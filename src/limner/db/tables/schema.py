"""What every table is made with: the names of constraints, the type of a time."""

from sqlalchemy import BigInteger, Index, MetaData, text

UtcTime = BigInteger
"""Every time: milliseconds since 1970-01-01T00:00:00Z (`types.to_ms`). Databases disagree about time zones, not about whole numbers."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def of_few(which: str, name: str, *columns: str) -> Index:
    """An index of the few rows of which `which` is true, however many there come to be."""
    return Index(name, *columns, sqlite_where=text(which), postgresql_where=text(which))
