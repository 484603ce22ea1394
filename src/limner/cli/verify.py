"""`limner verify FILE`: what a picture says of how it was made, whether that holds, and whether a server made it."""

import sys
from pathlib import Path
from typing import Any

import click

from limner.cli.failures import CommandFailed
from limner.cli.output import iso, json_option, print_facts, print_json
from limner.cli.remote import Remote, remote_options
from limner.client import Image
from limner.images import embedded, pictures
from limner.images.content_credentials import CredentialsReader
from limner.images.embedded import Provenance

SAYS = {
    "valid": "valid",
    "untrusted": "intact, but by somebody who is not on the list of those you trust",
    "invalid": "broken: the picture or its credentials were changed afterwards",
    "unchecked": "present, not checked: install limner[c2pa]",
}


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--ask", is_flag=True, help="Ask the server whether it made exactly these bytes for you.")
@click.option(
    "--trust",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="PEM",
    help="Certificates of those whose signature counts.",
)
@json_option
@remote_options
def verify(remote: Remote, file: Path, ask: bool, trust: Path | None, as_json: bool) -> None:
    """What FILE says of how it was made; exit code 1 where its content credentials are broken."""
    data = file.read_bytes()
    reader = CredentialsReader(trust.read_text() if trust else None)
    try:
        picture = pictures.decode_check(data)
        said = embedded.read(data, picture.media_type, reader)
    except pictures.NotAPicture as problem:
        raise CommandFailed(f"{file}: {problem.message}") from None
    sha256 = pictures.sha256(data)
    made = _made_by(remote, sha256) if ask else None
    facts = {"file": file, "mediaType": picture.media_type, "width": picture.width, "height": picture.height}
    if as_json:
        asked = {"server": remote.url, "made": made.raw if made else None} if ask else {}
        print_json({**facts, "sha256": sha256, "provenance": said.as_data(), **asked})
    else:
        print_facts({**facts, "sha256": sha256, **_words(said), **(_asked(remote, made) if ask else {})}, as_json=False)
    if said.credentials is not None and said.credentials.state == "invalid":
        sys.exit(1)


def _made_by(remote: Remote, sha256: str) -> Image | None:
    with remote.client() as limner:
        found = limner.images(limit=1, sha256=sha256).items
    return found[0] if found else None


def _words(said: Provenance) -> dict[str, Any]:
    facts: dict[str, Any] = {"digitalSourceType": said.digital_source_type or "none"}
    credentials = said.credentials
    if credentials is None:
        return {**facts, "c2pa": "none"}
    named = {"signer": credentials.signer, "issuer": credentials.issuer, "tool": credentials.tool}
    return {**facts, "c2pa": SAYS[credentials.state], **{name: value for name, value in named.items() if value}}


def _asked(remote: Remote, made: Image | None) -> dict[str, Any]:
    if made is None:
        return {"madeBy": f"not by {remote.url}, as far as this key can see"}
    return {"madeBy": f"{remote.url}: {made.id}, {made.model_id}, {iso(made.created_at)}"}
