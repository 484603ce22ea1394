"""What both clients share: how requests look, how answers are read, and when to send one again."""

import json
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2

from limner.client.failures import LimnerError, ServerUnreachable
from limner.client.shapes import Image, Page, Progress, UsageLine

WAIT_SECONDS = 50
"""How long one request waits for a picture: short enough for every proxy on the way."""

READ_SECONDS = WAIT_SECONDS + 30
LONGEST_PAUSE_SECONDS = 60.0
TRANSIENT = (429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. Every one we make may be sent twice: it reads, ends something, or carries an idempotency key."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    body: Mapping[str, Any] | None = None

    @property
    def sent(self) -> dict[str, Any]:
        query = {name: value for name, value in self.query.items() if value is not None}
        return {"params": query, **({"json": dict(self.body)} if self.body is not None else {})}


def generate(prompt: str, n: int, options: Mapping[str, Any], idempotency_key: str | None) -> Ask:
    return Ask("POST", "/api/v1/images/generate", body=_order({"prompt": prompt, "n": n}, options, idempotency_key))


def edit(
    images: Sequence[str], instruction: str, n: int, options: Mapping[str, Any], idempotency_key: str | None
) -> Ask:
    what = {"images": list(images), "instruction": instruction, "n": n}
    return Ask("POST", "/api/v1/images/edit", body=_order(what, options, idempotency_key))


def get(image_id: str, *, wait_seconds: int = 0, with_bytes: bool = False) -> Ask:
    how = {"wait": wait_seconds or None, "format": None if with_bytes else "metadata"}
    return Ask("GET", f"/api/v1/images/{image_id}", how)


def client_options(api_key: str | None, user_agent: str) -> dict[str, Any]:
    headers = {"User-Agent": user_agent} | ({"Authorization": f"Bearer {api_key}"} if api_key else {})
    return {"headers": headers, "timeout": httpx2.Timeout(READ_SECONDS, connect=10)}


def answer(response: httpx2.Response) -> dict[str, Any]:
    """The JSON object of an answer; raises LimnerError for an error, ServerUnreachable for what no Limner sends."""
    if response.status_code == 204:
        return {}
    try:
        data = response.json()
        if response.is_success and isinstance(data, dict):
            return data  # pyright: ignore[reportUnknownVariableType]
        error = LimnerError(response.status_code, data["error"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ServerUnreachable(f"{response.url} is not a Limner server: it answered {response.status_code}.") from None
    raise error


def image_page(data: Mapping[str, Any]) -> Page[Image]:
    return Page(tuple(Image.of(each) for each in data["images"]), data.get("total"), data)


def usage_page(data: Mapping[str, Any]) -> Page[UsageLine]:
    return Page(tuple(UsageLine.of(each) for each in data["transactions"]), data.get("total"), data)


class Told:
    """Reads a stream of events line by line: what it told about a picture, or None for a line that told nothing."""

    def __init__(self) -> None:
        self._kind = ""

    def __call__(self, line: str) -> Progress | None:
        field, _, value = line.partition(": ")
        if field == "event":
            self._kind = value
        if field != "data" or self._kind not in ("queued", "running"):
            return None
        data = json.loads(value)
        return Progress(data["id"], self._kind, data.get("phase"), data.get("progress"), data.get("place"))


def pause_seconds(problem: Exception, attempt: int) -> float | None:
    """How long to wait before sending the request again; None where that cannot help."""
    backoff = min(2.0**attempt, 10) * random.uniform(0.5, 1)  # noqa: S311 — spreads callers, guards nothing
    if isinstance(problem, LimnerError):
        if not problem.retryable or problem.status not in TRANSIENT:
            return None
        asked = problem.retry_after_seconds or 0
        return None if asked > LONGEST_PAUSE_SECONDS else max(asked, backoff)
    return backoff if isinstance(problem, httpx2.TransportError) else None


def named(base_url: str, problem: Exception) -> Exception:
    """What the caller sees once nothing more is tried."""
    if isinstance(problem, LimnerError):
        return problem
    return ServerUnreachable(f"No Limner server answers at {base_url}: {problem or type(problem).__name__}.")


def together(started: Image, ended: Sequence[Image]) -> Image:
    """The pictures of one call, the first that succeeded in front; LimnerError where none did."""
    first, *rest = sorted(ended, key=lambda image: image.status != "succeeded")
    if first.status != "succeeded":
        raise LimnerError(200, first.error or {"code": "cancelled", "message": "The picture was cancelled."})
    remaining = min(image.credits_remaining for image in ended)
    return replace(first, others=tuple(rest), replayed=started.replayed, credits_remaining=remaining)


def _order(what: Mapping[str, Any], options: Mapping[str, Any], idempotency_key: str | None) -> dict[str, Any]:
    chosen = {_camel(name): value for name, value in options.items() if value is not None}
    return {
        **what,
        **chosen,
        "idempotencyKey": idempotency_key or str(uuid.uuid4()),
        "waitSeconds": 0,
        "includeBytes": False,
    }


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
