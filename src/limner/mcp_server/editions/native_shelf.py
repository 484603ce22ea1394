"""What the native edition lets clients read by address."""

import mcp_types

from limner.accounts.principal import Principal
from limner.images.links import ImageLinks
from limner.images.service import Images
from limner.mcp_server.editions import image_mcp
from limner.mcp_server.resources import MINUTES, Contents, Readable, Shelf, Template, json_text, viewer
from limner.mcp_server.results import Results
from limner.schemas import Account, models_data

IMAGE_TEMPLATE = "limner://images/{id}"


class NativeShelf:
    def __init__(self, images: Images, links: ImageLinks) -> None:
        self._images = images
        self._results = Results(images, links)

    def shelf(self) -> Shelf:
        return Shelf(
            [self._models_resource(), self._account_resource(), image_mcp.models(self._images.catalog), viewer()],
            [self._image_template()],
        )

    def _models_resource(self) -> Readable:
        listed = mcp_types.Resource(
            uri="limner://models",
            name="models",
            title="Models",
            description="What list_models answers: every model, what it takes, its credits.",
            mime_type="application/json",
        )
        return Readable(listed, self._models, ttl_ms=MINUTES, scope="public")

    def _account_resource(self) -> Readable:
        listed = mcp_types.Resource(
            uri="limner://account",
            name="account",
            title="Account",
            description="What get_account answers: credits left and held.",
            mime_type="application/json",
        )
        return Readable(listed, self._account)

    def _image_template(self) -> Template:
        listed = mcp_types.ResourceTemplate(
            uri_template=IMAGE_TEMPLATE,
            name="image",
            title="Image",
            description="One of your pictures by id: its facts, and the picture itself (a preview of a large one).",
        )
        return Template(listed, self._image)

    async def _models(self, principal: Principal) -> list[Contents]:
        return [json_text("limner://models", models_data(self._images.catalog))]

    async def _account(self, principal: Principal) -> list[Contents]:
        balance, cap = await self._images.account(principal)
        return [json_text("limner://account", Account.of(principal.user_id, principal.email, balance, cap).data())]

    async def _image(self, principal: Principal, image_id: str) -> list[Contents]:
        return await self._results.as_resource(principal, image_id)
