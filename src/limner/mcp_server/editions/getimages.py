"""The getimages edition: five tools with the names, fields and words of getimages.dev."""

from typing import Annotated, Any, Literal

import mcp_types
import pybase64
from pydantic import Field

from limner.catalog.models import Options
from limner.credits.ledger import CreditTransaction
from limner.credits.words import in_words
from limner.errors import Detail, UnsupportedOption
from limner.images.generations import Generation
from limner.images.links import ImageLinks
from limner.images.lists import Filter
from limner.images.requests import NewImages
from limner.images.service import Images
from limner.mcp_server import outputs
from limner.mcp_server.asking import Asking
from limner.mcp_server.editions.ending import StillRunning, check_model, make_one, one_of, still_running, succeeded
from limner.mcp_server.icons import icon
from limner.mcp_server.results import TOO_LARGE, Results, facts, fits
from limner.mcp_server.server import Edition
from limner.mcp_server.tools import Tool, Toolbox, ToolCall
from limner.mcp_server.waiting import Waits
from limner.schemas import PROMPT_CHARACTERS, WELL_FORMED, Id, Nothing, PageOf, Shape, iso

INSTRUCTIONS = """Generate images and look after them. getimages_generate_image spends credits of the user's account; \
it is charged only when an image was made. It may take minutes: wait for it. If it fails because the wait ended, repeat \
the same call: it takes over the running image and does not pay twice."""

MODELS = (
    "openai:gpt-image-1.5",
    "openai:gpt-image-2",
    "google:gemini-2.5-flash-image",
    "google:gemini-3.1-flash-image-preview",
    "google:gemini-3-pro-image-preview",
)
THINKS = ("google:gemini-3.1-flash-image-preview", "google:gemini-3-pro-image-preview")
WIDE = "google:gemini-3-pro-image-preview"
RATIOS = ("1:1", "3:2", "2:3", "16:9", "9:16", "4:3", "3:4")


class GenerateOne(Shape):
    prompt: Annotated[
        str, Field(min_length=1, max_length=PROMPT_CHARACTERS, description="What the image shows."), WELL_FORMED
    ]
    model_id: Annotated[
        str, one_of(MODELS, description="Credits per image: 3, 5, 3, 5 (deep 7), 12 (deep 18)."), WELL_FORMED
    ]
    aspect_ratio: (
        Annotated[
            Literal["1:1", "3:2", "2:3", "16:9", "9:16", "4:3", "3:4", "21:9"],
            Field(description="21:9 only with gemini-3-pro-image-preview."),
        ]
        | None
    ) = None
    style: Annotated[str, Field(max_length=500, description="Added to the prompt."), WELL_FORMED] | None = None
    thinking_level: (
        Annotated[
            Literal["default", "deep"],
            Field(description="Only with gemini-3.1-flash-image-preview and gemini-3-pro-image-preview."),
        ]
        | None
    ) = None

    def new_images(self) -> NewImages:
        options = Options(aspect_ratio=self.aspect_ratio, thinking_level=self.thinking_level)
        return NewImages(
            prompt=self.prompt, model_id=self.model_id, options=options, style=self.style, nearest_size=True
        )


class GetOne(Shape):
    id: Id
    include_bytes: Annotated[bool, Field(description="Return the image itself too.")] = False


TEXT = {"type": ["string", "null"]}
ENTRY = {"type": "object"}
MADE = outputs.schema(
    {
        "id": {"type": "string"},
        "modelId": {"type": "string"},
        "providerId": {"type": "string"},
        "aspectRatio": TEXT,
        "style": TEXT,
        "thinkingLevel": TEXT,
        "mediaType": {"type": "string"},
        "credits": {
            "type": "object",
            "properties": {"charged": {"type": "integer"}, "remaining": {"type": "integer"}},
        },
        "createdAt": {"type": "string"},
        "imageUrl": {"type": "string"},
    }
)


def getimages(images: Images, links: ImageLinks, waits: Waits, asking: Asking) -> Edition:
    return Edition(
        name="getimages",
        title="getimages",
        instructions=INSTRUCTIONS,
        toolbox=Toolbox(GetimagesTools(images, links, waits).tools(), asking),
        icons=[icon("limner")],
    )


class GetimagesTools:
    def __init__(self, images: Images, links: ImageLinks, waits: Waits) -> None:
        self._images = images
        self._links = links
        self._waits = waits
        self._results = Results(images, links)

    def tools(self) -> list[Tool[Any]]:
        """In the order in which a model reads them."""
        return [
            self._generate_image(),
            self._list_images(),
            self._get_image(),
            self._get_account(),
            self._list_usage(),
        ]

    def _generate_image(self) -> Tool[GenerateOne]:
        return Tool(
            name="getimages_generate_image",
            title="Generate image",
            description="Generate one image from a prompt. Spends credits; charged only when an image was made.",
            shape=GenerateOne,
            scope="images:generate",
            call=self._generate,
            output_schema=MADE,
            spends=True,
            reads=False,
        )

    async def _generate(self, call: ToolCall, asked: GenerateOne) -> mcp_types.CallToolResult:
        _check(asked)
        try:
            row = await make_one(self._images, self._waits, call, asked.new_images())
        except StillRunning as running:
            return still_running(running.row, call.request_id)
        remaining = (await self._images.balance(call.principal)).available
        warnings = "".join(f" Note: {warning}" for warning in self._warnings(call, row))
        text = (
            f"Generated image {row.id} ({row.width}x{row.height}) with {row.model_id}: "
            f"{in_words(row.charged)} charged, {remaining} remaining.{warnings}"
        )
        made = facts(_made(row, remaining, self._links.sign(row).url), text)
        made.content.append(await self._picture(call, row))
        return made

    def _list_images(self) -> Tool[PageOf]:
        return Tool(
            name="getimages_list_images",
            title="List images",
            description="The images made so far, newest first, without their bytes.",
            shape=PageOf,
            scope="images:read",
            waits=False,
            call=self._list,
            output_schema=outputs.page_of("images"),
        )

    async def _list(self, call: ToolCall, asked: PageOf) -> mcp_types.CallToolResult:
        which = Filter(statuses=("succeeded",))
        page = await self._images.page(call.principal, which, limit=asked.limit, offset=asked.offset)
        shown = [_entry(row) for row in page.generations]
        return facts({"images": shown, "total": page.total, "limit": asked.limit, "offset": asked.offset})

    def _get_image(self) -> Tool[GetOne]:
        return Tool(
            name="getimages_get_image",
            title="Get image",
            description="One image by id with a fresh link, and the image itself when asked.",
            shape=GetOne,
            scope="images:read",
            call=self._get,
            output_schema=outputs.schema({"image": ENTRY, "imageUrl": {"type": "string"}}),
        )

    async def _get(self, call: ToolCall, asked: GetOne) -> mcp_types.CallToolResult:
        try:
            row = succeeded(await self._waits.for_one(call, asked.id, 0))
        except StillRunning as running:
            return still_running(running.row, call.request_id)
        url = self._links.sign(row).url
        found = facts({"image": _entry(row), "imageUrl": url})
        if asked.include_bytes:
            found.content.append(await self._picture(call, row))
        return found

    def _get_account(self) -> Tool[Nothing]:
        return Tool(
            name="getimages_get_account",
            title="Get account",
            description="The account's user id, email and credit balance.",
            shape=Nothing,
            scope="account:read",
            waits=False,
            call=self._account,
            output_schema=outputs.schema({"userId": TEXT, "email": TEXT, "creditBalance": {"type": "integer"}}),
        )

    async def _account(self, call: ToolCall, asked: Nothing) -> mcp_types.CallToolResult:
        balance, _ = await self._images.account(call.principal)
        owner = call.principal.email or call.principal.user_id
        data = {
            "userId": call.principal.user_id,
            "email": call.principal.email,
            "creditBalance": balance.available,
        }
        return facts(data, f"{owner} has {in_words(balance.available)}.")

    def _list_usage(self) -> Tool[PageOf]:
        return Tool(
            name="getimages_list_usage",
            title="List usage",
            description="Credit transactions, newest first.",
            shape=PageOf,
            scope="usage:read",
            waits=False,
            call=self._usage,
            output_schema=outputs.page_of("transactions"),
        )

    async def _usage(self, call: ToolCall, asked: PageOf) -> mcp_types.CallToolResult:
        lines, total = await self._images.usage(call.principal, limit=asked.limit, offset=asked.offset)
        shown = [_line(line) for line in lines]
        return facts({"transactions": shown, "total": total, "limit": asked.limit, "offset": asked.offset})

    def _warnings(self, call: ToolCall, row: Generation) -> tuple[str, ...]:
        return row.warnings if fits(call, [row]) else (*row.warnings, TOO_LARGE)

    async def _picture(self, call: ToolCall, row: Generation) -> mcp_types.ImageContent:
        """The generated bytes as they are, where the client can read them."""
        if not fits(call, [row]):
            return await self._results.preview(row)
        assert row.media_type is not None
        data = pybase64.b64encode_as_string(await self._images.content(row))
        return mcp_types.ImageContent(type="image", data=data, mime_type=row.media_type)


def _check(asked: GenerateOne) -> None:
    """What this edition's documentation says about each model, which is less than the catalogue may allow."""
    check_model("modelId", asked.model_id, MODELS)
    if asked.aspect_ratio == "21:9" and asked.model_id != WIDE:
        raise _unsupported("aspectRatio", f"{asked.model_id} does not take 21:9", RATIOS)
    if asked.thinking_level == "deep" and asked.model_id not in THINKS:
        raise _unsupported("thinkingLevel", f"{asked.model_id} takes no thinkingLevel", ())


def _unsupported(option: str, what: str, allowed: tuple[str, ...]) -> UnsupportedOption:
    values = f" Allowed: {', '.join(allowed)}." if allowed else ""
    return UnsupportedOption(
        f"{what}.{values}",
        details=[Detail(option, what, "unsupported_option")],
        extra={"option": option, "allowed": list(allowed)},
    )


def _made(row: Generation, remaining: int, url: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "modelId": row.model_id,
        "providerId": row.provider_id,
        "aspectRatio": row.options["aspectRatio"],
        "style": row.style,
        "thinkingLevel": row.options["thinkingLevel"],
        "mediaType": row.media_type,
        "credits": {"charged": row.charged, "remaining": remaining},
        "createdAt": iso(row.created_at),
        "imageUrl": url,
    }


def _entry(row: Generation) -> dict[str, Any]:
    return {
        "id": row.id,
        "prompt": row.prompt,
        "modelId": row.model_id,
        "providerId": row.provider_id,
        "aspectRatio": row.options["aspectRatio"],
        "style": row.style,
        "thinkingLevel": row.options["thinkingLevel"],
        "mediaType": row.media_type,
        "creditCost": row.charged,
        "createdAt": iso(row.created_at),
    }


def _line(line: CreditTransaction) -> dict[str, Any]:
    return {
        "id": line.id,
        "amount": line.amount,
        "type": _type(line),
        "description": line.description,
        "referenceId": line.reference_id,
        "createdAt": iso(line.created_at),
    }


def _type(line: CreditTransaction) -> str:
    named = {"charge": "deduction", "refund": "refund", "purchase": "addition", "grant": "addition"}
    return named.get(line.type) or ("addition" if line.amount >= 0 else "deduction")
