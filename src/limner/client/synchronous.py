"""`Limner`: the client for ordinary code."""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, Unpack

import httpx2

from limner.client import wire
from limner.client.failures import LimnerError
from limner.client.options import Options
from limner.client.shapes import Account, Image, Model, Page, Progress, UsageLine
from limner.client.wire import Ask


class Limner:
    """A Limner server at `base_url`. Close it, or use it in a `with`.

    Methods raise LimnerError for what the server refuses or could not do, and ServerUnreachable where it
    does not answer after `retries` further attempts.
    """

    def __init__(
        self, base_url: str, api_key: str | None = None, *, retries: int = 3, user_agent: str = "limner-client"
    ):
        self.base_url = base_url.rstrip("/")
        self._retries = retries
        self._http = httpx2.Client(base_url=self.base_url, **wire.client_options(api_key, user_agent))

    def generate(
        self,
        prompt: str,
        *,
        n: int = 1,
        idempotency_key: str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[Options],
    ) -> Image:
        """Make `n` pictures and wait for them; the same `idempotency_key` gives the same pictures, paid once."""
        return self._collect(wire.generate(prompt, n, options, idempotency_key), on_progress)

    def edit(
        self,
        images: Sequence[str],
        instruction: str,
        *,
        n: int = 1,
        idempotency_key: str | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        **options: Unpack[Options],
    ) -> Image:
        """Change or combine pictures (image ids, upload ids or https addresses) by instruction."""
        return self._collect(wire.edit(images, instruction, n, options, idempotency_key), on_progress)

    def get(self, image_id: str, *, wait_seconds: int = 0) -> Image:
        """One picture without its bytes; waits for one that is still being made."""
        return Image.of(self._ask(wire.get(image_id, wait_seconds=wait_seconds))["image"])

    def download(self, image_id: str) -> Image:
        """One picture with its bytes, as the provider made them."""
        return Image.of(self._ask(wire.get(image_id, with_bytes=True))["image"])

    def finished(self, image_id: str, *, on_progress: Callable[[Progress], None] | None = None) -> Image:
        """One picture with its bytes, once it has ended; LimnerError where it was not made."""
        started = self.get(image_id)
        return wire.together(started, [self._ended(started, on_progress)])

    def images(
        self,
        *,
        limit: int = 20,
        offset: int = 0,
        status: str | None = None,
        text: str | None = None,
        sha256: str | None = None,
    ) -> Page[Image]:
        query = {"limit": limit, "offset": offset, "status": status, "q": text, "sha256": sha256}
        return wire.image_page(self._ask(Ask("GET", "/api/v1/images", query)))

    def delete(self, image_id: str) -> None:
        self._ask(Ask("DELETE", f"/api/v1/images/{image_id}"))

    def cancel(self, image_id: str) -> Image:
        return Image.of(self._ask(Ask("POST", f"/api/v1/images/{image_id}/cancel"))["image"])

    def models(self) -> list[Model]:
        return [Model.of(each) for each in self._ask(Ask("GET", "/api/v1/models"))["models"]]

    def account(self) -> Account:
        return Account.of(self._ask(Ask("GET", "/api/v1/account")))

    def usage(self, *, limit: int = 20, offset: int = 0) -> Page[UsageLine]:
        return wire.usage_page(self._ask(Ask("GET", "/api/v1/usage", {"limit": limit, "offset": offset})))

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _collect(self, order: Ask, on_progress: Callable[[Progress], None] | None) -> Image:
        """Start, then wait for each picture by its id: whatever breaks meanwhile, the id finds it again."""
        started = Image.of(self._ask(order)["image"])
        ended = tuple(self._ended(image, on_progress) for image in started.pictures)
        return wire.together(started, ended)

    def _ended(self, image: Image, on_progress: Callable[[Progress], None] | None) -> Image:
        if on_progress is not None and not image.has_ended:
            on_progress(Progress(image.id, image.status))
            self._watch(image.id, on_progress)
        while not image.has_ended:
            image = self.get(image.id, wait_seconds=wire.WAIT_SECONDS)
        return self.download(image.id) if image.status == "succeeded" else image

    def _watch(self, image_id: str, on_progress: Callable[[Progress], None]) -> None:
        """Until it has ended or the stream breaks off: how it ended is asked for afterwards."""
        told = wire.Told()
        path = f"/api/v1/images/{image_id}/events"
        with suppress(httpx2.TransportError), self._http.stream("GET", path) as response:
            for line in response.iter_lines():
                if (progress := told(line)) is not None:
                    on_progress(progress)

    def _ask(self, ask: Ask) -> dict[str, Any]:
        attempt = 0
        while True:
            try:
                return wire.answer(self._http.request(ask.method, ask.path, **ask.sent))
            except (httpx2.TransportError, LimnerError) as problem:
                pause = wire.pause_seconds(problem, attempt)
                if pause is None or attempt >= self._retries:
                    raise wire.named(self.base_url, problem) from problem
            time.sleep(pause)
            attempt += 1
