"""`limner.client`, both kinds, against a real server: pictures, lists, errors, and retries that never pay twice."""

import asyncio
import inspect
import subprocess
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow
from tests.client.cutting import cutting
from tests.service import SKETCH, Service, free_port
from tests.subprocesses import ENVIRONMENT

from limner.client import AsyncLimner, Limner, LimnerError, Progress, ServerUnreachable
from limner.errors import ModerationBlocked, UpstreamUnavailable


class Either:
    """Calls either kind of client the same way: the ordinary one in a thread."""

    def __init__(self, client: Limner | AsyncLimner) -> None:
        self._client = client

    async def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        called = getattr(self._client, method)
        if inspect.iscoroutinefunction(called):
            return await called(*args, **kwargs)
        return await asyncio.to_thread(called, *args, **kwargs)


@pytest.fixture(params=[Limner, AsyncLimner])
def kind(request: pytest.FixtureRequest) -> type[Limner] | type[AsyncLimner]:
    return request.param


@pytest.fixture
async def limner(service: Service, kind: Any) -> AsyncIterator[Either]:
    client = Either(kind(service.url, service.key))
    yield client
    await client("close")


async def test_a_picture_is_made_fetched_listed_and_deleted(limner: Either, service: Service, tmp_path: Path) -> None:
    image = await limner("generate", "a quiet lake", model_id=SKETCH, aspect_ratio="3:2", seed=7)
    with Pillow.open(image.save(tmp_path / "lake.png")) as picture:
        assert picture.size == (image.width, image.height)
    assert (image.credits_charged, image.credits_remaining) == (1, 99)
    page = await limner("images", text="lake")
    assert [each.id for each in page.items] == [image.id]
    assert (await limner("get", image.id)).data is None
    assert (await limner("download", image.id)).data == image.data
    await limner("delete", image.id)
    assert (await limner("images")).total == 0


async def test_several_pictures_come_together(limner: Either) -> None:
    image = await limner("generate", "tiles", n=3, model_id=SKETCH)
    assert [len(each.data or b"") > 0 for each in image.pictures] == [True] * 3
    assert sum(each.credits_charged for each in image.pictures) == 3
    assert image.credits_remaining == 97


async def test_a_picture_is_edited(limner: Either) -> None:
    first = await limner("generate", "a quiet lake", model_id=SKETCH)
    second = await limner("edit", [first.id], "make it night", model_id=SKETCH)
    assert Pillow.open(BytesIO(second.data)).format == "PNG"


async def test_progress_tells_the_id_first_and_then_how_far_it_is(limner: Either, service: Service) -> None:
    service.stage.holding = True
    loop = asyncio.get_running_loop()
    seen: list[Progress] = []

    def show(progress: Progress) -> None:
        seen.append(progress)
        loop.call_soon_threadsafe(service.stage.let_go)

    image = await limner("generate", "a quiet lake", model_id=SKETCH, on_progress=show)
    assert {progress.id for progress in seen} == {image.id}
    assert seen[0].status in ("queued", "running")
    assert any(progress.fraction for progress in seen)


async def test_models_account_and_usage_are_told(limner: Either, service: Service) -> None:
    await limner("generate", "a quiet lake", model_id=SKETCH)
    assert SKETCH in [model.id for model in await limner("models") if model.available]
    account = await limner("account")
    assert (account.email, account.credit_balance) == ("owner@example.org", 99)
    assert [line.amount for line in (await limner("usage")).items] == [-1, 100]


async def test_what_the_server_refuses_has_its_code_and_next_step(limner: Either, service: Service) -> None:
    service.stage.errors["refused"] = ModerationBlocked()
    with pytest.raises(LimnerError) as refused:
        await limner("generate", "refused", model_id=SKETCH)
    assert refused.value.code == "moderation_blocked"
    assert refused.value.next_step
    with pytest.raises(LimnerError, match="unknown_model"):
        await limner("generate", "a lake", model_id="openai:gpt-image-0")


async def test_a_wrong_key_and_a_wrong_address_are_told_apart(service: Service, kind: Any) -> None:
    stranger, nowhere = (
        Either(kind(service.url, "sk_wrong")),
        Either(kind(f"http://127.0.0.1:{free_port()}", retries=0)),
    )
    with pytest.raises(LimnerError, match="unauthorized"):
        await stranger("account")
    with pytest.raises(ServerUnreachable):
        await nowhere("account")
    await stranger("close")
    await nowhere("close")


async def test_a_connection_that_breaks_after_sending_pays_once(service: Service, kind: Any) -> None:
    async with cutting(service.url) as proxy:
        limner = Either(kind(proxy.url, service.key))
        proxy.cut_answers = 2
        image = await limner("generate", "a quiet lake", model_id=SKETCH)
        await limner("close")
    assert proxy.cut_answers == 0
    assert image.data
    assert await service.transaction_types() == ["grant", "charge"]


async def test_a_failure_that_says_so_is_tried_again_and_another_is_not(limner: Either, service: Service) -> None:
    service.stage.errors["down"] = UpstreamUnavailable()
    with pytest.raises(LimnerError):
        await limner("generate", "down", model_id=SKETCH)
    assert await service.transaction_types() == ["grant"]


def test_the_client_loads_nothing_of_the_server() -> None:
    program = "import sys, limner.client; print([m for m in sys.modules if m.startswith('limner.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=ENVIRONMENT)
    assert all("limner.client" in name for name in eval(done.stdout)), done.stdout
