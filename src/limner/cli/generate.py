"""`limner generate`: a picture from any Limner server, saved where you stand."""

import re
import sys
from pathlib import Path
from typing import Any

import click
from rich import progress as rich_progress
from rich.console import Console

from limner.cli import pictures
from limner.cli.files import save, unused
from limner.cli.output import json_option, print_json
from limner.cli.remote import Remote, remote_options
from limner.client import Image, Progress
from limner.client.options import Options


@click.command()
@click.argument("prompt")
@click.option("-o", "--output", metavar="FILE", help="Where to save it; a directory, or - for standard output.")
@click.option("--model", "model_id", metavar="ID", help="See limner models; default: the server's.")
@click.option("--ratio", "aspect_ratio", metavar="W:H", help="Such as 1:1, 3:2, 16:9.")
@click.option("--resolution", type=click.Choice(["1K", "2K", "4K"]))
@click.option("--quality", type=click.Choice(["draft", "standard", "high"]))
@click.option("--style", help="Added to the prompt.")
@click.option("--background", type=click.Choice(["auto", "opaque", "transparent"]))
@click.option("--format", "output_format", type=click.Choice(["png", "jpeg", "webp"]))
@click.option("--seed", type=click.IntRange(0, 2**63 - 1))
@click.option("--reference", "references", multiple=True, metavar="ID|URL", help="A picture to draw on; repeat it.")
@click.option("-n", "--n", type=click.IntRange(1, 8), default=1, show_default=True, help="How many pictures.")
@click.option("--idempotency-key", metavar="TEXT", help="The same key gives the same pictures, paid once.")
@click.option("--open", "opens", is_flag=True, help="Open the picture when it is there.")
@click.option("--show/--no-show", default=True, help="Draw it in the terminal, where the terminal can.")
@json_option
@remote_options
def generate(
    remote: Remote,
    prompt: str,
    output: str | None,
    n: int,
    idempotency_key: str | None,
    opens: bool,
    show: bool,
    as_json: bool,
    references: tuple[str, ...],
    **options: Any,
) -> None:
    """Make a picture from PROMPT and save it."""
    chosen: Options = {**options, "references": references or None}  # pyright: ignore[reportAssignmentType] — click has checked them
    image = _make(remote, prompt, n, idempotency_key, chosen)
    if output == "-":
        sys.stdout.buffer.write(image.data or b"")
        return
    made = [each for each in image.pictures if each.data is not None]
    paths = [save(each.data or b"", path) for each, path in zip(made, _paths(output, prompt, made), strict=True)]
    if as_json:
        print_json({"image": {**image.raw, "others": [each.raw for each in image.others]}, "files": paths})
        return
    for each, path in zip(made, paths, strict=True):
        _tell(each, path, show=show)
        if opens:
            click.launch(str(path))
    charged = sum(each.credits_charged for each in image.pictures)
    click.echo(f"{charged} credit{'' if charged == 1 else 's'}, {image.credits_remaining} left.", err=True)


def _make(remote: Remote, prompt: str, n: int, idempotency_key: str | None, options: Options) -> Image:
    console = Console(stderr=True)
    columns = (
        rich_progress.SpinnerColumn(),
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.TimeElapsedColumn(),
    )
    with (
        remote.client() as limner,
        rich_progress.Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("sending", total=None)
        seen: list[str] = []

        def show(progress: Progress) -> None:
            seen[:] = [progress.id]
            total = None if progress.fraction is None else 1.0
            bar.update(task, description=_phase(progress), total=total, completed=progress.fraction)

        try:
            return limner.generate(prompt, n=n, idempotency_key=idempotency_key, on_progress=show, **options)
        except KeyboardInterrupt:
            if seen:
                console.print(f"It is still being made, and kept: limner images get {seen[0]}")
            raise


def _phase(progress: Progress) -> str:
    return f"queued, place {progress.place}" if progress.place else progress.phase or progress.status


def _paths(output: str | None, prompt: str, made: list[Image]) -> list[Path]:
    """One for each picture; a name of our own never replaces a file, a name that was asked for does."""
    wanted = Path(output) if output else Path(_slug(prompt))
    if output and not wanted.is_dir():
        return [
            wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}") for number in range(1, len(made) + 1)
        ]
    base = wanted / _slug(prompt) if output else wanted
    paths: list[Path] = []
    for image in made:
        paths.append(unused(Path(f"{base}.{image.extension}"), besides=paths))
    return paths


def _slug(prompt: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", prompt.lower())[:6]) or "image"


def _tell(image: Image, path: Path, *, show: bool) -> None:
    if show and sys.stdout.isatty() and image.data is not None:
        pictures.show(image.data)
    click.echo(path)
    click.echo(f"{image.width}x{image.height} by {image.served_by}, id {image.id}", err=True)
    for warning in image.warnings:
        click.echo(f"Note: {warning}", err=True)
    if path.suffix.lower().lstrip(".").replace("jpg", "jpeg") not in (image.extension, ""):
        click.echo(f"Note: {path.name} holds {image.extension} data.", err=True)
