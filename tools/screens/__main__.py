"""python -m tools.screens [--demo DIR]: remakes the screenshots of docs/images from a full demonstration server."""

import argparse
import asyncio
import io
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright
from tests.web.chromium import ARGUMENTS
from tools.demo import story
from tools.demo.__main__ import Demo, demonstration

from limner import logs

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESK, PHONE = (1280, 800), (390, 780)
Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Shot:
    name: str
    path: str
    scheme: str = "light"
    size: tuple[int, int] = DESK
    signed_in: bool = True
    act: Act | None = None


async def _pick(page: Page) -> None:
    for number in (0, 3):
        await page.locator(".frame[data-state=done] .pick input").nth(number).check(force=True)
    await page.evaluate("scrollTo(0, 0)")
    await page.mouse.move(5, 5)
    await page.wait_for_timeout(400)  # the grease pencil draws


async def _make_key(page: Page) -> None:
    await page.locator(".head").get_by_role("link", name="Create key").click()
    await page.fill("#kn", "Codex, build server")
    await page.select_option("#kc", "codex")
    await page.get_by_role("button", name="Create key").click()
    await page.locator("#new-key").wait_for()


async def _first_picture(page: Page) -> None:
    await page.locator(".frame[data-state=done] a.pic").first.click()
    await page.locator(".stage img").wait_for()


async def _edit(page: Page) -> None:
    await _first_picture(page)
    await page.get_by_role("link", name="Edit", exact=True).click()
    await page.fill("#prompt", "Put a small red sailboat here")
    canvas = page.locator("[data-brush] canvas")
    box = await canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.66
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + 70, y + 6, steps=8)
    await page.mouse.up()


SHOTS = (
    Shot("landing", "/", signed_in=False),
    Shot("gallery", "/dashboard/gallery?model=openai:gpt-image-2.5-flare", act=_pick),
    Shot("gallery-phone", "/dashboard/gallery?when=week", "dark", PHONE),
    Shot("image", "/dashboard/gallery?q=Three+glazed", "dark", act=_first_picture),
    Shot("edit", "/dashboard/gallery?q=Calm+lake", act=_edit),
    Shot("key", "/dashboard/keys", act=_make_key),
    Shot("usage", "/dashboard/usage", "dark"),
    Shot("connect", "/connect?client=codex"),
)


async def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.screens", description=__doc__)
    parser.add_argument("--demo", type=Path, help="the directory of a demonstration that is there already")
    given = parser.parse_args()
    logs.set_up("warning", "text")
    directory = given.demo or Path(tempfile.mkdtemp(prefix="limner-screens-"))
    try:
        async with demonstration(directory) as demo, async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
            state = await _sign_in(demo, browser)
            for shot in SHOTS:
                await _shoot(demo, browser, state, shot)
            await browser.close()
    finally:
        if given.demo is None:
            shutil.rmtree(directory, ignore_errors=True)


async def _shoot(demo: Demo, browser: Browser, state: Path, shot: Shot) -> None:
    width, height = shot.size
    context = await browser.new_context(
        storage_state=state if shot.signed_in else None,
        color_scheme="dark" if shot.scheme == "dark" else "light",
        viewport={"width": width, "height": height},
        device_scale_factor=1.5,
    )
    page = await context.new_page()
    await page.goto(demo.url + shot.path)
    if shot.act is not None:
        await shot.act(page)
    await page.evaluate(
        "Promise.all([...document.images].filter(i => i.getBoundingClientRect().top < innerHeight).map(i => i.decode().catch(() => 0)))"
    )
    out = io.BytesIO()
    Image.open(io.BytesIO(await page.screenshot())).convert("RGB").save(out, "WEBP", quality=80, method=6)
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / f"{shot.name}.webp").write_bytes(out.getvalue())
    print(f"{shot.name}.webp: {len(out.getvalue()) / 1000:.0f} kB", flush=True)
    await context.close()


async def _sign_in(demo: Demo, browser: Browser) -> Path:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(await demo.link(story.OWNER))
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/dashboard")
    path = Path(tempfile.mkdtemp(prefix="limner-screens-")) / "state.json"
    await context.storage_state(path=path)
    await context.close()
    return path


if __name__ == "__main__":
    asyncio.run(main())
