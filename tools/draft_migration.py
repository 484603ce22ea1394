"""Drafts the next step of the schema: what src/limner/db/tables.py has and the migrations have not.

usage: python tools/draft_migration.py WHAT_IT_DOES
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

from limner.db.migrate import REVISIONS
from limner.db.upgrade import alembic_config, schema_transaction
from limner.db.url import sqlite_url


def draft(what: str) -> None:
    name = f"{len(REVISIONS) + 1:04}_{re.sub(r'[^a-z0-9]+', '_', what.lower()).strip('_')}"
    with tempfile.TemporaryDirectory() as scratch:
        url = sqlite_url(Path(scratch) / "limner.db")
        with schema_transaction(url) as connection:
            config = alembic_config(connection)
            if REVISIONS:
                command.upgrade(config, "head")
            config.attributes["batch"] = bool(REVISIONS)  # SQLite changes an existing table by copying it
            command.revision(config, what, autogenerate=True, rev_id=name)
            tidy(Path(config.get_main_option("script_location")) / "versions" / f"{name}.py")


def tidy(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines(keepends=True) if "# ### " not in line]
    path.write_text("".join(lines))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    draft(" ".join(sys.argv[1:]))
