"""`limner images`, `models`, `account`, `usage`: what a server has for the holder of a key."""

import sys
from pathlib import Path

import click

from limner.cli.files import save, unused
from limner.cli.output import json_option, print_facts, print_json, print_table
from limner.cli.remote import Remote, find, keep, remote_options
from limner.client import Image

PROMPT_SHOWN = 48


@click.group(invoke_without_command=True)
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0)
@click.option("--status", type=click.Choice(["queued", "running", "succeeded", "failed", "cancelled"]))
@click.option("--text", metavar="WORDS", help="Only prompts with these words.")
@json_option
@remote_options
def images(remote: Remote, limit: int, offset: int, status: str | None, text: str | None, as_json: bool) -> None:
    """Your pictures, newest first; or one of them with `limner images get ID`."""
    if click.get_current_context().invoked_subcommand is not None:
        return
    with remote.client() as limner:
        page = limner.images(limit=limit, offset=offset, status=status, text=text)
    if as_json:
        print_json(page.raw)
        return
    print_table(["id", "status", "size", "model", "credits", "prompt"], [_line(image) for image in page.items])


@images.command("get")
@click.argument("image_id", metavar="ID")
@click.option("-o", "--output", metavar="FILE", help="Where to save it; - for standard output.")
@json_option
@remote_options
def get_image(remote: Remote, image_id: str, output: str | None, as_json: bool) -> None:
    """Wait for a picture if it is still being made, and save it."""
    with remote.client() as limner:
        image = limner.finished(image_id)
    data = image.data or b""
    if output == "-":
        sys.stdout.buffer.write(data)
        return
    path = save(data, Path(output) if output else unused(Path(f"{image.id}.{image.extension}")))
    if as_json:
        print_json({"image": image.raw, "file": path})
    else:
        click.echo(path)


@click.command()
@click.option("--all", "shows_all", is_flag=True, help="Also those that cannot be used, and why.")
@json_option
@remote_options
def models(remote: Remote, shows_all: bool, as_json: bool) -> None:
    """The models that can be used now, and what a picture costs."""
    with remote.client() as limner:
        found = limner.models()
    if as_json:
        print_json({"models": [model.raw for model in found]})
        return
    shown = [model for model in found if model.available or shows_all]
    rows = [[model.id, model.credits, model.name, model.reason or model.status] for model in shown]
    print_table(["id", "credits", "name", "state"], rows)


@click.command()
@json_option
@remote_options
def account(remote: Remote, as_json: bool) -> None:
    """Whose key this is, and the credits left."""
    with remote.client() as limner:
        found = limner.account()
    if as_json:
        print_json(found.raw)
        return
    cap = None if found.cap is None else f"{found.cap.remaining} of {found.cap.limit} per {found.cap.period}"
    facts = {"server": remote.url, "email": found.email, "credits": found.credit_balance, "held": found.credits_held}
    print_facts(facts | {"cap": cap}, as_json=False)


@click.command()
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0)
@json_option
@remote_options
def usage(remote: Remote, limit: int, offset: int, as_json: bool) -> None:
    """Credit transactions, newest first."""
    with remote.client() as limner:
        page = limner.usage(limit=limit, offset=offset)
    if as_json:
        print_json(page.raw)
        return
    rows = [[line.created_at, line.amount, line.type, line.balance_after, line.description] for line in page.items]
    print_table(["time", "credits", "type", "balance", "description"], rows)


@click.command()
@click.argument("url")
@click.option("--key", envvar="LIMNER_API_KEY", help="Asked for where it is not given.")
@json_option
def login(url: str, key: str | None, as_json: bool) -> None:
    """Keep the address of a server and an API key, for the client commands."""
    secret = key or click.prompt("API key", hide_input=True)
    remote = find(url, secret)
    with remote.client() as limner:
        found = limner.account()
    file = keep(remote)
    print_facts({"server": remote.url, "email": found.email, "kept": file}, as_json=as_json)


def _line(image: Image) -> list[object]:
    size = f"{image.width}x{image.height}" if image.width else None
    prompt = " ".join((image.prompt or "").split())
    shown = prompt if len(prompt) <= PROMPT_SHOWN else f"{prompt[:PROMPT_SHOWN]}…"
    return [image.id, image.status, size, image.model_id, image.credits_charged, shown]
