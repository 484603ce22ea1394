"""The image-mcp edition: one tool, with the names, fields and words of imagemcp.io."""

from typing import Annotated, Any

import mcp_types
from pydantic import Field

from limner.accounts.principal import Principal
from limner.catalog.catalog import Catalog
from limner.errors import NoImage, RateLimited, ServiceError, UpstreamRateLimited, UpstreamTimeout, UpstreamUnavailable
from limner.images.links import ImageLinks
from limner.images.requests import NewImages
from limner.images.service import Images
from limner.mcp_server import outputs
from limner.mcp_server.asking import Asking
from limner.mcp_server.completion import Completions
from limner.mcp_server.editions.ending import StillRunning, check_model, make_one, one_of, still_running
from limner.mcp_server.icons import icon
from limner.mcp_server.resources import MINUTES, Contents, Readable, Shelf, json_text
from limner.mcp_server.results import facts
from limner.mcp_server.server import Edition
from limner.mcp_server.tools import Tool, Toolbox, ToolCall, error_result
from limner.mcp_server.waiting import Waits
from limner.schemas import PROMPT_CHARACTERS, WELL_FORMED, Shape

INSTRUCTIONS = """Generate images with generate_image; each costs 10 credits, charged only when it was made. Show the \
user the url: it works without a key and does not expire. It may take minutes: wait for it. If it fails because the \
wait ended, repeat the same call: it takes over the running image and does not pay twice."""

DEFAULT_MODEL = "google/gemini-3-pro-image-preview"
MODELS = (
    (DEFAULT_MODEL, "Gemini 3 Pro Image Preview"),
    ("openai/gpt-5-image", "GPT-5 Image"),
    ("black-forest-labs/flux.2-flex", "FLUX.2 Flex"),
    ("black-forest-labs/flux.2-pro", "FLUX.2 Pro"),
    ("google/gemini-2.5-flash-image", "Gemini 2.5 Flash Image"),
)
MODEL_IDS = tuple(id_ for id_, _ in MODELS)
MODELS_URI = "mcp://image-mcp/models"


class GenerateOne(Shape):
    prompt: Annotated[
        str, Field(min_length=1, max_length=PROMPT_CHARACTERS, description="What the image shows."), WELL_FORMED
    ]
    model: Annotated[str, one_of(MODEL_IDS, description="10 credits each."), WELL_FORMED] = DEFAULT_MODEL


def image_mcp(images: Images, links: ImageLinks, waits: Waits, asking: Asking) -> Edition:
    tools = ImageMcpTools(images, links, waits)
    return Edition(
        name="image-mcp",
        title="Image MCP",
        instructions=INSTRUCTIONS,
        toolbox=Toolbox([tools.generate_image()], asking),
        shelf=Shelf([models(images.catalog)]),
        completions=Completions(images.catalog),
        icons=[icon("limner")],
    )


def models(catalog: Catalog) -> Readable:
    """The five models; the native edition answers for this address too."""

    async def read(principal: Principal) -> list[Contents]:
        return [json_text(MODELS_URI, {"models": [{"id": id_, "name": name} for id_, name in MODELS]})]

    listed = mcp_types.Resource(
        uri=MODELS_URI,
        name="image-mcp-models",
        title="Models of the image-mcp edition",
        description="The models that edition's generate_image takes.",
        mime_type="application/json",
    )
    return Readable(listed, read, ttl_ms=60 * MINUTES, scope="public")


class ImageMcpTools:
    def __init__(self, images: Images, links: ImageLinks, waits: Waits) -> None:
        self._images = images
        self._links = links
        self._waits = waits

    def generate_image(self) -> Tool[Any]:
        return Tool(
            name="generate_image",
            title="Generate image",
            description="Generate an image from a prompt and get a link to it. Costs 10 credits.",
            shape=GenerateOne,
            scope="images:generate",
            call=self._generate,
            output_schema=outputs.schema({name: {"type": "string"} for name in ("url", "model", "prompt", "filename")}),
            spends=True,
            reads=False,
        )

    async def _generate(self, call: ToolCall, asked: GenerateOne) -> mcp_types.CallToolResult:
        check_model("model", asked.model, MODEL_IDS)
        try:
            row = await make_one(self._images, self._waits, call, NewImages(asked.prompt, model_id=asked.model))
        except StillRunning as running:
            return still_running(running.row, call.request_id)
        except ServiceError as error:
            return _in_their_words(error, call.request_id)
        share = await self._images.share(row)
        url = self._links.public(share.id, share.filename)
        return facts({"url": url, "model": asked.model, "prompt": asked.prompt, "filename": share.filename})


def _in_their_words(error: ServiceError, request_id: str) -> mcp_types.CallToolResult:
    """What that service's documentation calls a failure, then what to do about it."""
    result = error_result(error, request_id)
    if (words := _words(error)) is not None:
        result.content = [
            mcp_types.TextContent(type="text", text=f"{words}. {error.message} {error.next_step}".strip())
        ]
    return result


def _words(error: ServiceError) -> str | None:
    match error:
        case NoImage():
            return "No image URL found"
        case RateLimited() | UpstreamRateLimited():
            return "API error: 429"
        case UpstreamUnavailable() | UpstreamTimeout():
            return "API error: 500"
        case _:
            return None
