"""Models on this machine: the provider with a worker that plays its part, and (slow) the real worker with real torch."""

import asyncio
import io
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from tests.providers.watching import Listening

from limner.errors import ModelUnavailable, ModerationBlocked, UpstreamTimeout, UpstreamUnavailable
from limner.providers.base import ImageRequest
from limner.providers.diffusers import Diffusers

ROOT = Path(__file__).parents[2]
TORCH = ("torch==2.13.0", "diffusers==0.42.1", "transformers==5.23.0", "safetensors", "pillow")


def request(prompt: str = "a fox", *, model: str = "tiny", timeout_seconds: float = 30, seed: int = 7) -> ImageRequest:
    return ImageRequest(
        generation_id="gen-1",
        model=model,
        prompt=prompt,
        size_px=(64, 64),
        seed=seed,
        timeout_seconds=timeout_seconds,
        options={"num_inference_steps": 2},
    )


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Diffusers]:
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "model_index.json").write_text("{}")
    (tmp_path / "notes").mkdir()
    provider = Diffusers(tmp_path, command=(sys.executable, "-m", "tests.peers.diffusers_worker"))
    yield provider
    await provider.close()


async def test_a_picture_and_its_progress_arrive(provider: Diffusers, watch: Listening) -> None:
    made = await provider.generate(request(), watch)
    assert Image.open(io.BytesIO(made.data)).size == (64, 64)
    assert (made.served_by, watch.steps) == ("tiny", [(0.5, "rendering")])


async def test_every_directory_with_a_model_is_offered(provider: Diffusers) -> None:
    assert [entry["id"] for entry in await provider.discover()] == ["diffusers:tiny"]


@pytest.mark.parametrize("model", ["notes", "..", "../tiny", "gone"])
async def test_no_other_directory_is_taken_for_a_model(model: str, provider: Diffusers, watch: Listening) -> None:
    with pytest.raises(ModelUnavailable):
        await provider.generate(request(model=model), watch)


@pytest.mark.parametrize(
    ("prompt", "failure"), [("die", UpstreamUnavailable), ("fail", UpstreamUnavailable), ("refuse", ModerationBlocked)]
)
async def test_after_a_failure_the_next_order_is_drawn(
    prompt: str, failure: type[Exception], provider: Diffusers, watch: Listening
) -> None:
    with pytest.raises(failure):
        await provider.generate(request(prompt), watch)
    assert (await provider.generate(request(), watch)).data


async def test_a_cancelled_order_stops_and_the_worker_stays(provider: Diffusers, watch: Listening) -> None:
    await provider.generate(request(), watch)
    worker = provider._worker._process
    order = asyncio.create_task(provider.generate(request("hang"), watch))
    await watch.next_step()
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    assert (await provider.generate(request(), watch)).data
    assert provider._worker._process is worker


async def test_a_worker_that_does_not_stop_is_ended(
    provider: Diffusers, watch: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("limner.providers.diffusers._STOP_SECONDS", 0.05)
    with pytest.raises(UpstreamTimeout):
        await provider.generate(request("ignore", timeout_seconds=0.5), watch)
    assert (await provider.generate(request(), watch)).data


async def test_orders_are_drawn_one_after_the_other(provider: Diffusers, watch: Listening) -> None:
    made = await asyncio.gather(*(provider.generate(request(), watch) for _ in range(3)))
    assert len({image.data for image in made}) == 1


@pytest.mark.slow
@pytest.mark.timeout(1500)
async def test_the_real_worker_draws_with_a_tiny_model(
    tmp_path_factory: pytest.TempPathFactory, watch: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installs torch apart from our own environment (a minute), then makes, loads, repeats, cancels and draws again."""
    python = await asyncio.to_thread(python_with_torch, tmp_path_factory.mktemp("torch"))
    models = tmp_path_factory.mktemp("models")
    await asyncio.to_thread(run, [python, "-m", "tests.providers.tiny_model", models / "tiny"])
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    provider = Diffusers(models, command=(str(python), "-m", "limner.providers.diffusers_worker"))
    first = await provider.generate(request(timeout_seconds=300), watch)
    assert Image.open(io.BytesIO(first.data)).size == (64, 64)
    assert watch.steps == [(0.5, "rendering"), (1.0, "rendering")]
    assert (await provider.generate(request(), watch)).data == first.data
    assert (await provider.generate(request(seed=8), watch)).data != first.data

    worker, heard = provider._worker._process, len(watch.steps)
    endless = request(timeout_seconds=300)
    order = asyncio.create_task(provider.generate(slowly(endless), watch))
    while len(watch.steps) == heard:
        await watch.next_step()
    order.cancel()
    with pytest.raises(asyncio.CancelledError):
        await order
    assert (await provider.generate(request(), watch)).data == first.data
    assert provider._worker._process is worker
    await provider.close()


def slowly(order: ImageRequest) -> ImageRequest:
    return ImageRequest(
        generation_id="gen-2",
        model=order.model,
        prompt=order.prompt,
        size_px=order.size_px,
        timeout_seconds=order.timeout_seconds,
        options={"num_inference_steps": 900},
    )


def python_with_torch(where: Path) -> Path:
    run([sys.executable, "-m", "venv", where])
    python = where / "bin" / "python"
    run([python, "-m", "pip", "install", "--quiet", *TORCH])
    return python


def run(command: list[object]) -> None:
    done = subprocess.run([str(part) for part in command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
