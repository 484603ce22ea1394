"""The command line. A command's module is loaded when that command runs, so that `limner --version` is instant."""

import gc
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module

import click

from limner import __version__

COMMANDS: Mapping[str, tuple[str, str]] = {
    "quickstart": ("limner.cli.quickstart:quickstart", "Start on embedded defaults and make a first picture."),
    "connect": ("limner.cli.connect:connect", "Connect an MCP client."),
    "generate": ("limner.cli.generate:generate", "Make a picture on any Limner server."),
    "images": ("limner.cli.lists:images", "Your pictures, newest first."),
    "models": ("limner.cli.lists:models", "The models that can be used now."),
    "account": ("limner.cli.lists:account", "Whose key this is, and the credits left."),
    "usage": ("limner.cli.lists:usage", "Credit transactions, newest first."),
    "verify": ("limner.cli.verify:verify", "What a picture says of how it was made, and whether that holds."),
    "login": ("limner.cli.lists:login", "Keep a server's address and an API key."),
    "serve": ("limner.cli.serve:serve", "Run the server."),
    "worker": ("limner.cli.worker:worker", "Run queued generations, without serving anybody; PostgreSQL only."),
    "migrate": ("limner.cli.operate:migrate", "Bring the database up to date."),
    "doctor": ("limner.cli.doctor:doctor", "Check the configuration and what it points at."),
    "audit": ("limner.cli.operate:audit", "Prove that ledger, holds, balances and pictures agree."),
    "backup": ("limner.cli.backup:backup", "Write everything a server keeps to one file."),
    "restore": ("limner.cli.backup:restore", "Put a backup into an empty place."),
    "accounts": ("limner.cli.accounts:accounts", "Make accounts and let people in."),
    "credits": ("limner.cli.credits:credits", "Give credits, make codes, reconcile with Stripe."),
    "keys": ("limner.cli.keys:keys", "Make, list, rotate and revoke API keys."),
    "secrets": ("limner.cli.secrets:secrets", "Rotate the secrets that links are signed with."),
}
"""Each command: where it is, and what the list of commands says about it."""


class Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        with _for_good():
            return getattr(import_module(module), name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, says) for name, (_, says) in COMMANDS.items()])


@contextmanager
def _for_good() -> Generator[None]:
    """What is imported stays: looking for garbage in it again and again is a tenth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="limner %(version)s")
def limner() -> None:
    """Limner, the image service for AI agents."""


def main() -> None:
    """Run the command that was asked for: 0 it worked, 1 what was asked failed, 2 wrong usage or configuration."""
    try:
        limner(prog_name="limner")
    except Exception as problem:  # what has a sentence is told in it; the rest is a bug and keeps its trace
        from limner.cli.failures import explain

        explained = explain(problem)
        if explained is None:
            raise
        click.echo(f"limner: {explained.sentence}", err=True)
        sys.exit(explained.exit_code)
