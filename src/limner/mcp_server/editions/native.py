"""The native edition: Limner's own tools, prompts and resources."""

from typing import Any

import mcp_types

from limner.credits.words import in_words
from limner.images.beginning import Started
from limner.images.links import ImageLinks, UploadLinks
from limner.images.lists import Filter
from limner.images.requests import NewImages
from limner.images.service import Images
from limner.images.uploads import Uploads
from limner.mcp_server import outputs
from limner.mcp_server.asking import Asking
from limner.mcp_server.completion import Completions
from limner.mcp_server.editions.native_shelf import IMAGE_TEMPLATE, NativeShelf
from limner.mcp_server.icons import icon
from limner.mcp_server.resources import VIEWER_URI
from limner.mcp_server.results import Results, facts
from limner.mcp_server.saved_prompts import SavedPrompts
from limner.mcp_server.server import Edition
from limner.mcp_server.tasks import QUICK_SECONDS, Tasks
from limner.mcp_server.tools import Answer, Tool, Toolbox, ToolCall
from limner.mcp_server.waiting import Waits, patience_seconds
from limner.schemas import (
    Account,
    CreateUpload,
    Edit,
    Generate,
    GetImage,
    Image,
    Nothing,
    OpenUpload,
    PageOf,
    UsageLine,
    models_data,
)

INSTRUCTIONS = """Limner makes and edits pictures. generate_image and edit_image spend credits of the user's account: \
a picture is charged once, and only if it was made. If a result says running, call get_image with its id instead of \
generating again. Repeating an identical call after a time-out returns the same picture without paying twice; for \
another picture from the same prompt pass a new idempotencyKey or seed. Use dryRun to learn the price first. Show the \
user the picture or its link (links expire; get_image gives fresh ones). To change a picture, pass its id to edit_image. \
For a file the user has, call create_upload, send the file to the link, then pass the upload id. Errors begin with a \
code and say what to do next."""


IMAGE = outputs.schema_of(
    Image,
    others=outputs.OBJECTS,
    inline={"type": "object"},
    retryAfterSeconds={"type": "integer"},
)
IN_VIEWER = {"ui": {"resourceUri": VIEWER_URI}}


def native(
    images: Images,
    links: ImageLinks,
    uploads: Uploads,
    upload_links: UploadLinks,
    waits: Waits,
    asking: Asking,
    saved: SavedPrompts,
) -> Edition:
    tasks = Tasks(images, Results(images, links))
    return Edition(
        name="limner",
        title="Limner",
        instructions=INSTRUCTIONS,
        toolbox=Toolbox(NativeTools(images, links, uploads, upload_links, waits, tasks).tools(), asking),
        shelf=NativeShelf(images, links).shelf(),
        completions=Completions(images.catalog, templates=[IMAGE_TEMPLATE]),
        saved=saved,
        tasks=tasks,
        icons=[icon("limner")],
        extensions={"io.modelcontextprotocol/ui": {}},
    )


class NativeTools:
    def __init__(
        self,
        images: Images,
        links: ImageLinks,
        uploads: Uploads,
        upload_links: UploadLinks,
        waits: Waits,
        tasks: Tasks,
    ) -> None:
        self._images = images
        self._links = links
        self._uploads = uploads
        self._upload_links = upload_links
        self._waits = waits
        self._tasks = tasks
        self._results = Results(images, links)

    def tools(self) -> list[Tool[Any]]:
        """In the order in which a model reads them."""
        return [
            self._generate_image(),
            self._edit_image(),
            self._get_image(),
            self._list_images(),
            self._list_models(),
            self._get_account(),
            self._list_usage(),
            self._create_upload(),
        ]

    def _generate_image(self) -> Tool[Generate]:
        return Tool(
            name="generate_image",
            title="Generate image",
            description="Make one or more pictures from a prompt. Spends credits; charged only for pictures made.",
            shape=Generate,
            scope="images:generate",
            call=self._generate,
            output_schema=IMAGE,
            spends=True,
            reads=False,
            icons=[icon("generate")],
            meta=IN_VIEWER,
        )

    async def _generate(self, call: ToolCall, asked: Generate) -> Answer:
        return await self._make(call, asked, asked.new_images())

    def _edit_image(self) -> Tool[Edit]:
        return Tool(
            name="edit_image",
            title="Edit image",
            description="Change or combine existing pictures by instruction, optionally only inside a mask. Spends credits.",
            shape=Edit,
            scope="images:generate",
            call=self._edit,
            output_schema=IMAGE,
            spends=True,
            reads=False,
            icons=[icon("edit")],
            meta=IN_VIEWER,
        )

    async def _edit(self, call: ToolCall, asked: Edit) -> Answer:
        return await self._make(call, asked, asked.new_images())

    async def _make(self, call: ToolCall, asked: Generate | Edit, new: NewImages) -> Answer:
        if asked.dry_run:
            quote = await self._images.quote(call.principal, new)
            charge, remain = quote.would_charge, quote.would_remain
            return facts(
                {"credits": {"wouldCharge": charge, "wouldRemain": remain}, "warnings": list(quote.warnings)},
                f"This would charge {in_words(charge)} and leave {remain}. Nothing was started.",
            )
        started = await self._images.start(call.principal, call.ordering(new), has_left=call.has_left)
        takes_task = asked.wait_seconds is None and self._tasks.are_for(call)
        seconds = QUICK_SECONDS if takes_task else patience_seconds(call, asked.wait_seconds)
        rows = await self._waits.for_call(call, started, seconds)
        if takes_task and not all(row.has_ended for row in rows):
            return await self._tasks.handle(started, rows, asked.inline)
        told = [row.as_told_to_its_caller() for row in rows]
        return await self._results.of_call(call, started, told, asked.inline)

    def _get_image(self) -> Tool[GetImage]:
        return Tool(
            name="get_image",
            title="Get image",
            description="One picture by id: status, facts, a fresh link and the picture. Waits for a running one if asked.",
            shape=GetImage,
            scope="images:read",
            call=self._get,
            output_schema=IMAGE,
            icons=[icon("see")],
            meta=IN_VIEWER,
        )

    async def _get(self, call: ToolCall, asked: GetImage) -> mcp_types.CallToolResult:
        row = await self._waits.for_one(call, asked.id, asked.wait_seconds)
        one = Started(row.call_id, (row.id,), False, row.account_id)
        return await self._results.of_call(call, one, [row], asked.inline, asked.ttl_seconds)

    def _list_images(self) -> Tool[PageOf]:
        return Tool(
            name="list_images",
            title="List images",
            description="The user's pictures, newest first, running ones included; without the pictures themselves.",
            shape=PageOf,
            scope="images:read",
            waits=False,
            call=self._list,
            output_schema=outputs.page_of("images"),
            icons=[icon("list")],
        )

    async def _list(self, call: ToolCall, asked: PageOf) -> mcp_types.CallToolResult:
        page = await self._images.page(call.principal, Filter(), limit=asked.limit, offset=asked.offset)
        available = (await self._images.balance(call.principal)).available
        shown = [
            Image.of(row, self._links.sign(row) if row.status == "succeeded" else None, available).data()
            for row in page.generations
        ]
        return facts({"images": shown, "total": page.total, "limit": asked.limit, "offset": asked.offset})

    def _list_models(self) -> Tool[Nothing]:
        return Tool(
            name="list_models",
            title="List models",
            description="The models: which can be used now, what each takes, its credits, speed and lifecycle.",
            shape=Nothing,
            scope="images:read",
            waits=False,
            call=self._models,
            output_schema=outputs.schema({"models": outputs.OBJECTS, "default": {"type": "string"}}),
            icons=[icon("models")],
        )

    async def _models(self, call: ToolCall, asked: Nothing) -> mcp_types.CallToolResult:
        return facts(models_data(self._images.catalog))

    def _get_account(self) -> Tool[Nothing]:
        return Tool(
            name="get_account",
            title="Get account",
            description="Whose account this is, the credits left and held, and what is left of this key's spend cap.",
            shape=Nothing,
            scope="account:read",
            waits=False,
            call=self._account,
            output_schema=outputs.schema_of(Account),
            icons=[icon("account")],
        )

    async def _account(self, call: ToolCall, asked: Nothing) -> mcp_types.CallToolResult:
        balance, cap = await self._images.account(call.principal)
        return facts(Account.of(call.principal.user_id, call.principal.email, balance, cap).data())

    def _list_usage(self) -> Tool[PageOf]:
        return Tool(
            name="list_usage",
            title="List usage",
            description="Credit transactions, newest first: what was charged, granted and bought.",
            shape=PageOf,
            scope="usage:read",
            waits=False,
            call=self._usage,
            output_schema=outputs.page_of("transactions"),
            icons=[icon("usage")],
        )

    async def _usage(self, call: ToolCall, asked: PageOf) -> mcp_types.CallToolResult:
        lines, total = await self._images.usage(call.principal, limit=asked.limit, offset=asked.offset)
        shown = [UsageLine.of(line).data() for line in lines]
        return facts({"transactions": shown, "total": total, "limit": asked.limit, "offset": asked.offset})

    def _create_upload(self) -> Tool[CreateUpload]:
        return Tool(
            name="create_upload",
            title="Create upload",
            description="A one-time link to send a reference picture or mask to; then pass the upload's id.",
            shape=CreateUpload,
            scope="images:generate",
            waits=False,
            call=self._open_upload,
            output_schema=outputs.schema_of(OpenUpload),
            reads=False,
            icons=[icon("upload")],
        )

    async def _open_upload(self, call: ToolCall, asked: CreateUpload) -> mcp_types.CallToolResult:
        upload = await self._uploads.create(call.principal, asked.media_type)
        made = OpenUpload.of(upload, self._upload_links.sign(upload)).data()
        text = (
            f"Send the picture once, before {made['expiresAt']}, at most {made['maxBytes']:,} bytes: {made['command']} "
            f"(or PUT it to {made['uploadUrl']}). Then pass the id {made['id']} in references, images or mask."
        )
        return facts(made, text)
