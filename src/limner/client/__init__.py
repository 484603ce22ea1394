"""A small typed client of any Limner server: `Limner` for ordinary code, `AsyncLimner` for asyncio.

    from limner.client import Limner

    with Limner("http://127.0.0.1:8000", "sk_…") as limner:
        image = limner.generate("a red boat at dawn", aspect_ratio="3:2")
        image.save("boat.png")

It needs httpx2 and nothing of the server. Repeating is safe: every request for a picture carries an
idempotency key, so a connection that breaks is tried again and nothing is paid twice.
"""

from limner.client.asynchronous import AsyncLimner
from limner.client.failures import LimnerError, ServerUnreachable
from limner.client.shapes import Account, Cap, Image, Model, Page, Progress, UsageLine
from limner.client.synchronous import Limner

__all__ = [
    "Account",
    "AsyncLimner",
    "Cap",
    "Image",
    "Limner",
    "LimnerError",
    "Model",
    "Page",
    "Progress",
    "ServerUnreachable",
    "UsageLine",
]
