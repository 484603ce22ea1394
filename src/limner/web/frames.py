"""A generation as pages show it: its picture at its own shape, or why there is none (yet)."""

from dataclasses import dataclass
from datetime import datetime

from limner.catalog.catalog import Catalog
from limner.db.types import Clock
from limner.errors import UnknownModel
from limner.images.generations import Generation
from limner.images.links import ImageLinks, filename
from limner.web.words import RATIOS, ratio_class

STEADY_SECONDS = 6 * 3600
"""Links of pages change every six hours, so that a browser's cache knows a thumbnail again."""

TINY = 256
THUMBNAILS = (TINY, 512, 768)
STAGE = 1536


@dataclass(frozen=True, slots=True)
class Frame:
    """`src` and its like are paths on this server; empty where there is no picture."""

    row: Generation
    model: str
    shape: str
    tiny: str
    src: str
    srcset: str
    large: str
    original: str
    filename: str

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def state(self) -> str:
        """`done`, `waiting`, `refused` (an error says why) or `cancelled`."""
        return {"succeeded": "done", "failed": "refused", "cancelled": "cancelled"}.get(self.row.status, "waiting")

    @property
    def refusal(self) -> str:
        """Who said no, for a picture that was not made."""
        code = (self.row.error or {}).get("code")
        return "Refused by the provider" if code == "moderation_blocked" else "Not made"

    @property
    def prompt(self) -> str:
        return self.row.prompt or "Untitled"

    @property
    def seconds(self) -> float | None:
        """How long it took from the call to the picture."""
        ended = self.row.completed_at
        return None if ended is None else (ended - self.row.created_at).total_seconds()


class Frames:
    def __init__(self, catalog: Catalog, links: ImageLinks, clock: Clock, public_url: str) -> None:
        self._catalog = catalog
        self._links = links
        self._clock = clock
        self._public_url = public_url

    def of(self, row: Generation) -> Frame:
        path = self._path(row) if row.status == "succeeded" else ""
        return Frame(
            row=row,
            model=self.model_name(row.model_id),
            shape=_shape(row),
            tiny=_webp(path, TINY),
            src=_webp(path, 512),
            srcset=", ".join(f"{_webp(path, width)} {width}w" for width in THUMBNAILS) if path else "",
            large=_webp(path, STAGE) if (row.width or 0) > STAGE else path,
            original=path,
            filename=filename(row),
        )

    def public(self, share_id: str, name: str) -> str:
        """A link that lasts, for people without an account."""
        return self._links.public(share_id, name)

    def model_name(self, model_id: str) -> str:
        try:
            return self._catalog.find(model_id).name
        except UnknownModel:
            return model_id

    def _path(self, row: Generation) -> str:
        seconds = STEADY_SECONDS + _until_next(self._clock(), STEADY_SECONDS)
        return self._links.sign(row, seconds).url.removeprefix(self._public_url)


def _webp(path: str, width: int) -> str:
    """A smaller form of the picture; as WebP it is a fraction of a PNG."""
    return f"{path}?width={width}&format=webp" if path else ""


def _until_next(now: datetime, step_seconds: int) -> int:
    return step_seconds - int(now.timestamp()) % step_seconds


def _shape(row: Generation) -> str:
    if row.width and row.height:
        return ratio_class(row.width, row.height)
    asked = str(row.options.get("aspectRatio") or "1:1").replace(":", "x")
    return asked if asked in RATIOS else "1x1"
