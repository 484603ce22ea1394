"""The native edition: Limner's own tools."""

from typing import Any

import mcp_types
import orjson

from limner.images.beginning import Started
from limner.images.generations import Filter
from limner.images.links import ImageLinks
from limner.images.requests import NewImages
from limner.images.service import Images
from limner.mcp_server.results import Results
from limner.mcp_server.tools import Tool, ToolCall
from limner.mcp_server.waiting import Progress, patience_seconds, wait
from limner.schemas import Account, Edit, Generate, GetImage, Image, Nothing, PageOf, UsageLine, models_data

INSTRUCTIONS = """Limner makes and edits pictures. generate_image and edit_image spend credits of the user's account: \
a picture is charged once, and only if it was made. If a result says running, call get_image with its id instead of \
generating again. Repeating an identical call after a time-out returns the same picture without paying twice; for \
another picture from the same prompt pass a new idempotencyKey or seed. Use dryRun to learn the price first. Show the \
user the picture or its link (links expire; get_image gives fresh ones). To change a picture, pass its id to edit_image. \
For a file the user has, call create_upload, send the file to the link, then pass the upload id. Errors begin with a \
code and say what to do next."""


class NativeTools:
    def __init__(self, images: Images, links: ImageLinks) -> None:
        self._images = images
        self._links = links
        self._results = Results(images, links)

    def tools(self) -> list[Tool[Any]]:
        return [
            Tool(
                name="generate_image",
                title="Generate image",
                description="Make one or more pictures from a prompt. Spends credits; charged only for pictures made.",
                shape=Generate,
                scope="images:generate",
                call=self._generate,
                spends=True,
                reads=False,
            ),
            Tool(
                name="edit_image",
                title="Edit image",
                description="Change or combine existing pictures by instruction, optionally only inside a mask. Spends credits.",
                shape=Edit,
                scope="images:generate",
                call=self._edit,
                spends=True,
                reads=False,
            ),
            Tool(
                name="get_image",
                title="Get image",
                description="One picture by id: status, facts, a fresh link and the picture. Waits for a running one if asked.",
                shape=GetImage,
                scope="images:read",
                call=self._get,
            ),
            Tool(
                name="list_images",
                title="List images",
                description="Your pictures, newest first, running ones included.",
                shape=PageOf,
                scope="images:read",
                call=self._list,
            ),
            Tool(
                name="list_models",
                title="List models",
                description="The models that can be used now: what each can do, its credits, speed and lifecycle.",
                shape=Nothing,
                scope="images:read",
                call=self._models,
            ),
            Tool(
                name="get_account",
                title="Get account",
                description="Whose account this is, the credits left and held, and what is left of this key's spend cap.",
                shape=Nothing,
                scope="account:read",
                call=self._account,
            ),
            Tool(
                name="list_usage",
                title="List usage",
                description="Credit transactions, newest first.",
                shape=PageOf,
                scope="usage:read",
                call=self._usage,
            ),
        ]

    async def _generate(self, call: ToolCall, asked: Generate) -> mcp_types.CallToolResult:
        return await self._make(call, asked, asked.new_images())

    async def _edit(self, call: ToolCall, asked: Edit) -> mcp_types.CallToolResult:
        return await self._make(call, asked, asked.new_images())

    async def _make(self, call: ToolCall, asked: Generate | Edit, new: NewImages) -> mcp_types.CallToolResult:
        if asked.dry_run:
            quote = await self._images.quote(call.principal, new)
            charge, remain = quote.would_charge, quote.would_remain
            return facts(
                {"credits": {"wouldCharge": charge, "wouldRemain": remain}, "warnings": list(quote.warnings)},
                f"This would charge {charge} credits and leave {remain}. Nothing was started.",
            )
        started = await self._images.start(call.principal, new)
        rows = await wait(self._images, call, started, patience_seconds(call, asked.wait_seconds))
        return await self._results.of_call(call, started, rows, asked.inline)

    async def _get(self, call: ToolCall, asked: GetImage) -> mcp_types.CallToolResult:
        report = Progress(call, self._images, asked.id) if asked.wait_seconds else None
        row = await self._images.get_when_ended(call.principal, asked.id, asked.wait_seconds, report)
        one = Started(row.call_id, (row.id,), False, row.account_id)
        return await self._results.of_call(call, one, [row], asked.inline, asked.ttl_seconds)

    async def _list(self, call: ToolCall, asked: PageOf) -> mcp_types.CallToolResult:
        page = await self._images.page(call.principal, Filter(), limit=asked.limit, offset=asked.offset)
        available = (await self._images.balance(call.principal)).available
        shown = [
            Image.of(row, self._links.sign(row) if row.status == "succeeded" else None, available).data()
            for row in page.generations
        ]
        return facts({"images": shown, "total": page.total, "limit": asked.limit, "offset": asked.offset})

    async def _models(self, call: ToolCall, asked: Nothing) -> mcp_types.CallToolResult:
        return facts(models_data(self._images.catalog))

    async def _account(self, call: ToolCall, asked: Nothing) -> mcp_types.CallToolResult:
        balance, cap = await self._images.account(call.principal)
        return facts(Account.of(call.principal.user_id, call.principal.email, balance, cap).data())

    async def _usage(self, call: ToolCall, asked: PageOf) -> mcp_types.CallToolResult:
        lines, total = await self._images.usage(call.principal, limit=asked.limit, offset=asked.offset)
        shown = [UsageLine.of(line).data() for line in lines]
        return facts({"transactions": shown, "total": total, "limit": asked.limit, "offset": asked.offset})


def facts(data: dict[str, Any], text: str | None = None) -> mcp_types.CallToolResult:
    """Data for those who read structure, and the same (or a sentence) for those who read text."""
    shown = text if text is not None else orjson.dumps(data).decode()
    return mcp_types.CallToolResult(content=[mcp_types.TextContent(type="text", text=shown)], structured_content=data)
