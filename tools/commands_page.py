"""Writes docs/commands.md: what each command of the command line says of itself.

usage: python tools/commands_page.py
"""

from collections.abc import Iterator
from pathlib import Path

import click

from limner.cli import limner

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
WIDTH = 100
INTRODUCTION = """# The command line

Every command, as `--help` shows it. `--json` works on every command that prints data. A command ends with 0 when it worked,
1 when what was asked failed, and 2 when the command or the configuration is wrong; whatever stops it is one sentence on
standard error.

Commands that work on the server's own data read the server's settings ([Configuration](operate/configuration.md)). Client
commands (`generate`, `images`, `models`, `account`, `usage`, `verify`, `connect`) talk to any server, from anywhere:
`--url` and `--key`, `LIMNER_URL` and `LIMNER_API_KEY`, or what `limner login` kept.
"""


def page() -> str:
    root = click.Context(limner, info_name="limner", help_option_names=["-h", "--help"])
    return INTRODUCTION + "".join(f"\n{part}" for part in _parts(limner, root))


def _parts(command: click.Command, context: click.Context) -> Iterator[str]:
    """A part for each command below this one."""
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            below = click.Context(child, info_name=name, parent=context)
            yield f"## limner {below.command_path.removeprefix('limner ')}\n\n```text\n{_help(child, below)}\n```\n"
            yield from _parts(child, below)


def _help(command: click.Command, context: click.Context) -> str:
    context.max_content_width = WIDTH
    context.terminal_width = WIDTH
    return command.get_help(context)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
