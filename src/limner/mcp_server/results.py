"""What a tool call hands back, so that every client can use it.

Facts stand in the text and in structuredContent, because clients drop one or the other; base64 stands in
neither. The picture itself is an image block, small by default.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import mcp_types
import orjson
import pybase64

from limner.accounts.principal import Principal
from limner.credits.words import are_or_is, in_words
from limner.errors import ServiceError, from_data
from limner.images import renditions
from limner.images.beginning import Started
from limner.images.generations import Generation
from limner.images.links import ImageLinks, filename
from limner.images.provenance import source_of
from limner.images.service import Images
from limner.mcp_server.resources import Contents, json_text
from limner.mcp_server.tools import ToolCall, error_text
from limner.schemas import DescribedImage, Image

Inline = Literal["auto", "full", "none"]

PREVIEW_PX = 1024
PREVIEW_BASE64_BYTES = 200_000
RESULT_BASE64_BYTES = 900_000
"""All pictures of one result together, unless the originals were asked for."""

LARGE_BASE64_BYTES = 900_000
TOO_LARGE = (
    "This client reads no event of a stream over 1 MiB, so a preview stands here: fetch the original from imageUrl, or "
    "ask again with get_image, inline full and no progress token."
)

RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Block:
    """An image block and what structuredContent says about it."""

    content: mcp_types.ImageContent
    facts: dict[str, Any]


class Results:
    def __init__(self, images: Images, links: ImageLinks) -> None:
        self._images = images
        self._links = links

    async def as_resource(self, principal: Principal, image_id: str) -> list[Contents]:
        """The facts of an own picture, and the picture as small as a result's; NotFound."""
        row = await self._images.get(principal, image_id)
        available = (await self._images.balance(principal)).available
        link = self._links.sign(row) if row.status == "succeeded" else None
        uri = f"limner://images/{row.id}"
        contents = [json_text(uri, DescribedImage.of(row, link, available).data())]
        if row.status == "succeeded":
            picture = await self.preview(row)
            contents.append(mcp_types.BlobResourceContents(uri=uri, mime_type=picture.mime_type, blob=picture.data))
        return contents

    async def preview(self, row: Generation) -> mcp_types.ImageContent:
        """The picture as small as a result's."""
        return (await self._small(row, PREVIEW_BASE64_BYTES)).content

    async def of_call(
        self, call: ToolCall, started: Started, rows: Sequence[Generation], inline: Inline, ttl_seconds: int = 900
    ) -> mcp_types.CallToolResult:
        """One result for all pictures of a call: the first that succeeded stands first."""
        rows = sorted(rows, key=lambda row: (row.status != "succeeded", row.position))
        available = (await self._images.balance(call.principal)).available
        blocks = await self._blocks(call, rows, inline)
        shown = [
            self._shown(row, available, started.replayed, blocks.get(row.id), inline, ttl_seconds, call.request_id)
            for row in rows
        ]
        structured = {**shown[0], "others": shown[1:]}
        if not all(row.has_ended for row in rows):
            structured["retryAfterSeconds"] = RETRY_AFTER_SECONDS
        return mcp_types.CallToolResult(
            content=[*self._texts(rows, shown, available), *self._pictures(rows, blocks, shown)],
            structured_content=structured if _keeps_structure(call, blocks) else None,
            is_error=all(row.status in ("failed", "cancelled") for row in rows),
        )

    def _shown(
        self,
        row: Generation,
        available: int,
        replayed: bool,
        block: Block | None,
        inline: Inline,
        ttl_seconds: int,
        request_id: str,
    ) -> dict[str, Any]:
        link = self._links.sign(row, ttl_seconds) if row.status == "succeeded" else None
        shown = Image.of(row, link, available, replayed=replayed).data()
        if shown["error"] is not None:
            shown["error"] = {**shown["error"], "requestId": request_id}
        if block is None:
            return shown
        if inline == "full" and not block.facts["original"]:
            shown["warnings"] = [*shown["warnings"], TOO_LARGE]
        return shown | {"inline": block.facts}

    async def _blocks(self, call: ToolCall, rows: Sequence[Generation], inline: Inline) -> dict[str, Block]:
        ready = [row for row in rows if row.status == "succeeded"]
        if inline == "none" or not ready or (call.profile.pastes_base64 and inline == "auto"):
            return {}
        if inline == "full" and fits(call, ready):
            return {row.id: await self._original(row) for row in ready}
        most = min(PREVIEW_BASE64_BYTES, RESULT_BASE64_BYTES // len(ready))
        return {row.id: await self._small(row, most) for row in ready}

    async def _original(self, row: Generation) -> Block:
        assert row.media_type is not None
        assert row.width is not None
        assert row.height is not None
        return _block(await self._images.content(row), row.media_type, row.width, row.height, original=True)

    async def _small(self, row: Generation, most_base64_bytes: int) -> Block:
        """The original when it is small enough, else a preview."""
        assert row.size_bytes is not None
        if _base64_bytes(row.size_bytes) <= most_base64_bytes:
            return await self._original(row)
        data = await self._images.content(row)
        small = await asyncio.to_thread(
            renditions.preview, data, source_of(row.provider_id), max_px=PREVIEW_PX, max_base64_bytes=most_base64_bytes
        )
        return _block(small.data, small.media_type, small.width, small.height, original=False)

    def _texts(
        self, rows: Sequence[Generation], shown: Sequence[dict[str, Any]], available: int
    ) -> list[mcp_types.ContentBlock]:
        lines = [_line(row, each) for row, each in zip(rows, shown, strict=True)]
        if len(rows) > 1:
            lines.append(f"Together: {in_words(sum(row.charged for row in rows))} charged, {available} left.")
        else:
            lines[-1] += f" {in_words(available)} left."
        return [mcp_types.TextContent(type="text", text="\n".join(lines))]

    def _pictures(
        self, rows: Sequence[Generation], blocks: dict[str, Block], shown: Sequence[dict[str, Any]]
    ) -> list[mcp_types.ContentBlock]:
        content: list[mcp_types.ContentBlock] = []
        for row, each in zip(rows, shown, strict=True):
            if row.status != "succeeded":
                continue
            if row.id in blocks:
                content.append(blocks[row.id].content)
            content.append(
                mcp_types.ResourceLink(
                    type="resource_link",
                    uri=each["imageUrl"],
                    name=filename(row),
                    mime_type=row.media_type,
                    size=row.size_bytes,
                    description="The original picture; the link expires.",
                )
            )
        return content


def fits(call: ToolCall, rows: Sequence[Generation]) -> bool:
    """Whether this client can read an answer with the originals of these pictures."""
    together = sum(_base64_bytes(row.size_bytes or 0) for row in rows)
    return together <= LARGE_BASE64_BYTES or call.takes_large_answers


def facts(data: dict[str, Any], text: str | None = None) -> mcp_types.CallToolResult:
    """Data for those who read structure, and the same (or a sentence) for those who read text."""
    shown = text if text is not None else orjson.dumps(data).decode()
    return mcp_types.CallToolResult(content=[mcp_types.TextContent(type="text", text=shown)], structured_content=data)


def _keeps_structure(call: ToolCall, blocks: dict[str, Block]) -> bool:
    """A client that shows no picture beside structuredContent gets the picture, and the facts in the text."""
    return not (call.profile.drops_image_beside_structured and blocks)


def _line(row: Generation, shown: dict[str, Any]) -> str:
    if row.status == "succeeded":
        replayed = " (the picture of the earlier call; not charged again)" if shown["replayed"] else ""
        size = f"{row.width}x{row.height} {(row.media_type or '').removeprefix('image/')}"
        warnings = "".join(f" Note: {warning}" for warning in shown["warnings"])
        return (
            f"succeeded{replayed}: image {row.id}, {size}, {in_words(row.charged)} charged. "
            f"Link {_until(shown)}: {shown['imageUrl']}{warnings}"
        )
    if row.status in ("queued", "running"):
        return (
            f"{row.status}: image {row.id} is still being made, {in_words(row.credits)} {are_or_is(row.credits)} held. "
            f"Call get_image with this id (waitSeconds up to 780) to fetch it; do not generate again: "
            f"fetching or repeating the same call does not pay twice."
        )
    if row.error is None:
        return f"cancelled: image {row.id} was not made; nothing was charged."
    error: ServiceError = from_data(row.error)
    return f"{error_text(error)} Nothing was charged."


def _until(shown: dict[str, Any]) -> str:
    return f"until {shown['imageUrlExpiresAt'][:16].replace('T', ' ')} UTC"


def _block(data: bytes, media_type: str, width: int, height: int, *, original: bool) -> Block:
    content = mcp_types.ImageContent(type="image", data=pybase64.b64encode_as_string(data), mime_type=media_type)
    return Block(content, {"mediaType": media_type, "width": width, "height": height, "original": original})


def _base64_bytes(size_bytes: int) -> int:
    return (size_bytes + 2) // 3 * 4
