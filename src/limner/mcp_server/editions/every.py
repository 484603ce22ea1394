"""Every edition, each on an endpoint of its own."""

from limner.images.links import ImageLinks, UploadLinks
from limner.images.service import Images
from limner.images.uploads import Uploads
from limner.mcp_server.asking import Asking
from limner.mcp_server.editions.getimages import getimages
from limner.mcp_server.editions.image_mcp import image_mcp
from limner.mcp_server.editions.native import native
from limner.mcp_server.saved_prompts import SavedPrompts
from limner.mcp_server.server import Endpoint
from limner.mcp_server.waiting import Waits


def endpoints(
    images: Images,
    links: ImageLinks,
    uploads: Uploads,
    upload_links: UploadLinks,
    saved: SavedPrompts,
    *,
    confirm: Asking,
    sell: Asking,
    max_body_bytes: int,
) -> dict[str, Endpoint]:
    """By the edition's name in the configuration. Only the native one leads to where credits are sold (`sell`)."""
    waits = Waits(images)
    editions = {
        "native": native(images, links, uploads, upload_links, waits, sell, saved),
        "getimages": getimages(images, links, waits, confirm),
        "image-mcp": image_mcp(images, links, waits, confirm),
    }
    return {name: Endpoint(edition, max_body_bytes=max_body_bytes) for name, edition in editions.items()}
