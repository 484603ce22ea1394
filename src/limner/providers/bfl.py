"""Black Forest Labs' FLUX models: an order, a polling address, and a signed link to the picture."""

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import httpx2

from limner.errors import UpstreamUnavailable
from limner.providers import failures
from limner.providers.base import ImageRequest, ProviderImage, Unbilled, Watch
from limner.providers.wire import Answer, Json, Wire, deadline, table, text, to_base64, words

_CREDIT_USD = Decimal("0.01")
_STILL_THERE = {408, 425, 429, 500, 502, 503, 504, 529}
"""Statuses of a poll that say nothing about the order itself."""


class BlackForestLabs:
    name = "bfl"
    safe_to_repeat = False
    cancellable = False

    def __init__(self, pool: httpx2.AsyncClient, *, api_key: str, base_url: str, poll_seconds: float) -> None:
        self._wire = Wire(self.name, pool, base_url, {"x-key": api_key})
        self._poll_seconds = poll_seconds

    async def generate(self, request: ImageRequest, watch: Watch) -> ProviderImage:
        async with deadline(request.timeout_seconds):
            answer = await self._wire.post(f"/v1/{request.model}", to_wire(request))
            if not answer.ok:
                raise _failure(answer)
            order = answer.json()
            handle = self._trusted(text(order.get("polling_url")))
            await watch.submitted(handle)
            return await self._collected(request, handle, watch, order)

    async def resume(self, request: ImageRequest, handle: str, watch: Watch) -> ProviderImage:
        async with deadline(request.timeout_seconds):
            return await self._collected(request, self._trusted(handle), watch, {})

    async def discover(self) -> Sequence[Mapping[str, Any]]:
        return ()

    async def close(self) -> None:
        """The pool is shared and closed by whoever opened it."""

    async def _collected(self, request: ImageRequest, handle: str, watch: Watch, order: Json) -> ProviderImage:
        state = await self._finished(handle, watch)
        return ProviderImage(
            data=await self._picture(text(table(state.get("result")).get("sample"))),
            served_by=request.model,
            request_id=text(state.get("id")) or text(order.get("id")) or None,
            cost_usd=_usd(order.get("cost", state.get("cost"))),
            usage={name: order[name] for name in ("cost", "input_mp", "output_mp") if name in order},
        )

    async def _finished(self, handle: str, watch: Watch) -> Json:
        """Poll until the order is done. Whatever fails on the way, the order is not placed again."""
        while True:
            state = await self._look(handle)
            match text(state.get("status")):
                case "Ready":
                    return state
                case "Request Moderated":
                    raise failures.moderated("input", _reasons(state))
                case "Content Moderated":
                    raise failures.moderated("output", _reasons(state))
                case "Error" | "Failed" | "Task not found" as status:
                    raise failures.unavailable(self.name, status, str(state.get("details", "")))
                case _:
                    await _tell(watch, state)
                    await asyncio.sleep(self._poll_seconds)

    async def _look(self, handle: str) -> Json:
        """One poll; an empty state where the supplier could not be asked just now."""
        try:
            answer = await self._wire.get(handle)
        except (Unbilled, UpstreamUnavailable):
            return {}
        if answer.status in _STILL_THERE:
            return {}
        if not answer.ok and "status" not in answer.error_json():
            raise failures.after_the_order(_failure(answer))
        return answer.error_json()

    async def _picture(self, url: str) -> bytes:
        """The signed link carries its own permission, so the key stays here."""
        if not url:
            raise failures.no_image("it named no link")
        try:
            answer = await self._wire.get(self._trusted(url), with_credentials=False)
        except Unbilled as error:
            raise error.error from error
        if not answer.ok:
            raise failures.no_image(f"its link answered HTTP {answer.status}")
        return answer.body

    def _trusted(self, address: str) -> str:
        """The key goes only to https under bfl.ai, or to the host the operator configured."""
        url, own = httpx2.URL(address or "about:blank"), httpx2.URL(self._wire.base_url)
        theirs = url.scheme == "https" and (url.host == "bfl.ai" or url.host.endswith(".bfl.ai"))
        if theirs or (url.scheme, url.host) == (own.scheme, own.host):
            return address
        raise failures.unavailable(self.name, "address outside bfl.ai", url.host)


def to_wire(request: ImageRequest) -> Json:
    body: Json = {**request.options, "prompt": request.prompt}
    if request.size_px:
        body["width"], body["height"] = request.size_px
    if request.seed is not None:
        body["seed"] = request.seed
    if request.output_format:
        body["output_format"] = request.output_format
    for place, image in enumerate(request.images, 1):
        body["input_image" if place == 1 else f"input_image_{place}"] = to_base64(image.data)
    return body


def _failure(answer: Answer) -> Exception:
    detail = answer.error_json().get("detail")
    return answer.failure(detail if isinstance(detail, str) else str(detail or ""))


async def _tell(watch: Watch, state: Json) -> None:
    fraction = state.get("progress")
    await watch.progress(float(fraction) if isinstance(fraction, int | float) else None, "rendering")


def _reasons(state: Json) -> str:
    return words(table(state.get("details")).get("Moderation Reasons")) or text(state.get("status"))


def _usd(credits_used: object) -> Decimal | None:
    return Decimal(str(credits_used)) * _CREDIT_USD if isinstance(credits_used, int | float) else None
