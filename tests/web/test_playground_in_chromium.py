"""The playground in a real browser: the mask brush, references by drop and by button, what an agent would send."""

import io

import pytest
from PIL import Image
from playwright.async_api import Browser, Page, expect
from tests.peers.pictures import encoded, picture
from tests.service import SKETCH, Service
from tests.web.chromium import chromium, visit  # noqa: F401

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


async def test_what_the_brush_paints_is_what_may_change(service: Service, chromium: Browser) -> None:  # noqa: F811
    image = (await service.generate(prompt="a quiet lake", modelId=SKETCH, aspectRatio="3:2")).json()["image"]
    page = await visit(chromium, service, f"/dashboard/playground?edit={image['id']}&model={SKETCH}")
    await page.fill("#prompt", "a red boat")
    await _paint(page, (0.25, 0.5), (0.35, 0.5))
    await page.click("#go")
    await expect(page.locator("#canvas .frame[data-state=done] img")).to_be_visible(timeout=20_000)
    order = service.stage.seen[-1]
    assert (order.operation, order.aspect_ratio) == ("edit", None)
    assert order.mask is not None
    mask = Image.open(io.BytesIO(order.mask.data))
    assert mask.size == (image["width"], image["height"])
    alpha = mask.getchannel("A")
    width, height = mask.size
    assert alpha.getpixel((int(width * 0.3), height // 2)) == 0, "the painted part is transparent: it may change"
    assert alpha.getpixel((int(width * 0.8), height // 2)) == 255, "the rest is opaque: it stays"
    made = Image.open(io.BytesIO((await service.http.get((await _newest(service))["imageUrl"])).content)).convert("RGB")
    original = Image.open(io.BytesIO((await service.http.get(image["imageUrl"])).content)).convert("RGB")
    assert made.getpixel((int(width * 0.8), height // 2)) == original.getpixel((int(width * 0.8), height // 2))


async def test_a_cleared_brush_sends_no_mask(service: Service, chromium: Browser) -> None:  # noqa: F811
    image = (await service.generate(prompt="a quiet lake", modelId=SKETCH)).json()["image"]
    page = await visit(chromium, service, f"/dashboard/playground?edit={image['id']}&model={SKETCH}")
    await page.fill("#prompt", "in winter")
    await _paint(page, (0.2, 0.2), (0.4, 0.2))
    await page.get_by_role("button", name="Clear").click()
    await page.click("#go")
    await expect(page.locator("#canvas .frame[data-state=done] img")).to_be_visible(timeout=20_000)
    assert service.stage.seen[-1].mask is None


async def test_references_are_dropped_added_and_taken_off(service: Service, chromium: Browser) -> None:  # noqa: F811
    for prompt in ("first", "second"):
        await service.generate(prompt=prompt, modelId=SKETCH)
    page = await visit(chromium, service, f"/dashboard/playground?model={SKETCH}")
    await page.fill("#prompt", "both of them")
    await page.drag_and_drop("[data-reference] >> nth=0", "#bench .models")
    await page.get_by_role("button", name="Add to the references: first").click()
    await _drop_file(page, "#refbox", picture(48, 48))
    await expect(page.locator("[data-chips] li")).to_have_count(3)
    await expect(page.locator("[data-calls] pre").first).to_contain_text('"references"')
    await page.get_by_role("checkbox", name="Use first").uncheck()
    await page.click("#go")
    await expect(page.locator("#canvas .frame[data-state=done] img")).to_be_visible(timeout=20_000)
    assert sorted(each.width for each in service.stage.seen[-1].images) == [48, 1024]


async def test_another_model_keeps_what_was_typed_and_shows_its_own_price(service: Service, chromium: Browser) -> None:  # noqa: F811
    page = await visit(chromium, service, f"/dashboard/playground?model={SKETCH}")
    await page.fill("#style", "gouache")
    await page.fill("#n", "3")
    await page.locator("[name=model]").first.dispatch_event("change")
    await expect(page.locator("#style")).to_have_value("gouache")
    await expect(page.locator("#n")).to_have_value("3")
    await expect(page.locator("#cost")).to_have_text("3 credits")


async def test_partial_pictures_show_while_it_is_painted(service: Service, chromium: Browser) -> None:  # noqa: F811
    service.stage.holding = True
    page = await visit(chromium, service, f"/dashboard/playground?model={SKETCH}")
    await page.fill("#prompt", "a castle")
    await page.click("#go")
    await expect(page.locator("#canvas .wait")).to_contain_text("You pay only if it arrives")
    await expect(page.locator("#balance")).to_contain_text("1 more held")
    await page.evaluate(
        """() => { window.partials = 0; new MutationObserver(() => { if (document.querySelector('#canvas .partial')) partials++; })
                   .observe(document.querySelector('#canvas'), {childList: true, subtree: true}); }"""
    )
    service.stage.let_go()
    await expect(page.locator("#canvas .frame[data-state=done] img")).to_be_visible(timeout=20_000)
    assert await page.evaluate("window.partials") > 0


async def test_a_refusal_is_said_on_the_canvas(service: Service, chromium: Browser) -> None:  # noqa: F811
    page = await visit(chromium, service, f"/dashboard/playground?model={SKETCH}")
    await page.fill("#prompt", "a castle")
    await page.fill("#n", "8")
    await page.evaluate("document.querySelector('#seed').type = 'text'")  # a browser that checks nothing
    await page.fill("#seed", "not a number")
    await page.click("#go")
    await expect(page.locator("#canvas [role=alert]")).to_contain_text("You were not charged")


async def _paint(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    """A stroke across the picture, in parts of its width and height."""
    canvas = page.locator("[data-brush] canvas")
    await canvas.scroll_into_view_if_needed()
    box = await canvas.bounding_box()
    assert box is not None
    (x, y), (to_x, to_y) = ((box["x"] + box["width"] * a, box["y"] + box["height"] * b) for a, b in (start, end))
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(to_x, to_y, steps=6)
    await page.mouse.up()


async def _drop_file(page: Page, target: str, data: bytes) -> None:
    transfer = await page.evaluate_handle(
        """async data => { const transfer = new DataTransfer(), bytes = await (await fetch('data:image/png;base64,' + data)
               .catch(() => null))?.blob() ?? new Blob([Uint8Array.from(atob(data), c => c.charCodeAt(0))]);
               transfer.items.add(new File([bytes], 'dropped.png', {type: 'image/png'})); return transfer; }""",
        encoded(data),
    )
    await page.dispatch_event(target, "drop", {"dataTransfer": transfer})


async def _newest(service: Service) -> dict[str, str]:
    listed = (await service.http.get("/api/v1/images?limit=1")).json()["images"][0]
    return (await service.http.get(f"/api/v1/images/{listed['id']}?format=metadata")).json()["image"]
