"""Drafts the next step of the schema: what src/limner/db/tables has and the migrations have not.

usage: python tools/draft_migration.py WHAT_IT_DOES
       python tools/draft_migration.py              only writes newest.sql anew, after a step was edited by hand
"""

import re
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from alembic import command

from limner.db.first_start import NEWEST, snapshot
from limner.db.migrate import REVISIONS
from limner.db.upgrade import alembic_config, schema_transaction
from limner.db.url import sqlite_url

LONGEST_NAME = 32  # the width of Alembic's column


def main(what: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "limner.db"
        with schema_transaction(sqlite_url(path)) as connection:
            config = alembic_config(connection)
            config.attributes["batch"] = bool(REVISIONS)  # SQLite changes an existing table by copying it
            if REVISIONS:
                command.upgrade(config, "head")
            if what:
                name = f"{len(REVISIONS) + 1:04}_{re.sub(r'[^a-z0-9]+', '_', what.lower()).strip('_')}"
                if len(name) > LONGEST_NAME:
                    sys.exit(f"{name} is longer than {LONGEST_NAME} characters: say it shorter")
                command.revision(config, what, autogenerate=True, rev_id=name)
                tidy(Path(config.get_main_option("script_location")) / "versions" / f"{name}.py")
                command.upgrade(alembic_config(connection), "head")
        with closing(sqlite3.connect(path)) as migrated:
            NEWEST.write_text(snapshot(migrated))


def tidy(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines(keepends=True) if "# ### " not in line]
    path.write_text("".join(lines))
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]))
