"""axe on every page, with everything opened that opens, in both themes, on a desk and on a phone."""

import re
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser
from tests.node_tools import Node
from tests.oauth.client import register
from tests.service import SKETCH, Service
from tests.web.axe import LOOKS, as_it_is, source, violations
from tests.web.browser import make_admin, signed_in
from tests.web.chromium import chromium, visit  # noqa: F401

from limner.errors import ModerationBlocked

PUBLIC = (
    *("/", "/?words=dunes", "/pricing", "/docs", "/docs/api", "/docs/rest", "/docs?q=key", "/connect?client=cursor"),
    *("/sign-in", "/sign-up", "/sign-in/reset", "/sign-in/nonesuch", "/nothing-here"),
)
DASHBOARD = (
    *("/dashboard", "/dashboard/gallery", "/dashboard/gallery?q=nothing", "/dashboard/images/DONE"),
    "/dashboard/images/LONG",
    *("/dashboard/images/REFUSED", "/dashboard/images/WAITING", "/dashboard/gallery/compare?id=DONE&id=SECOND"),
    *("/dashboard/playground", "/dashboard/playground?from=DONE&reference=SECOND", "/dashboard/playground?edit=DONE"),
    *(
        "/dashboard/prompts",
        "/dashboard/prompts/new",
        "/dashboard/keys",
        "/dashboard/keys/new",
        "/dashboard/connections",
        "/dashboard/usage?by=key",
    ),
    *("/dashboard/billing", "/dashboard/webhooks", "/dashboard/settings", "/connect", "/connect?way=sign-in"),
    *("/dashboard/images/nothing", "CONSENT"),
    *("/admin/accounts", "/admin/accounts/ACCOUNT", "/admin/models", "/admin/generations", "/admin/ledger"),
    "/admin/audit",
)
REFUSED = "something nobody draws"


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_axe_finds_nothing_on_any_page(service: Service, chromium: Browser, node: Node) -> None:  # noqa: F811
    axe = source()
    names = await _furnish(service)
    state = await (await visit(chromium, service, "/dashboard")).context.storage_state()
    found: list[str] = []
    for scheme, width in LOOKS:
        for paths, signed in ((PUBLIC, None), (DASHBOARD, state)):
            context = await chromium.new_context(
                storage_state=signed, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
            )
            page = await context.new_page()
            for path in paths:
                await page.goto(_address(service, path, names))
                found += [f"{path} {scheme} {width}: {each}" for each in await violations(page, axe)]
            await context.close()
    assert found == [], "\n".join(found)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_axe_finds_nothing_on_the_way_to_a_key(service: Service, chromium: Browser, node: Node) -> None:  # noqa: F811
    axe = source()
    state = await (await visit(chromium, service, "/dashboard")).context.storage_state()
    found: list[str] = []
    for scheme, width in LOOKS:
        context = await chromium.new_context(
            storage_state=state, color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True
        )
        page = await context.new_page()
        await page.goto(f"{service.url}/dashboard/keys")
        await page.evaluate(axe)
        await page.locator(".head").get_by_role("link", name="Create key").click()
        found += [f"asking {scheme} {width}: {each}" for each in await as_it_is(page)]
        await page.fill("#kn", f"Claude Code on a {width} px {scheme} screen")
        await page.get_by_role("button", name="Create key").click()
        await page.locator("dialog[open] #new-key").wait_for()
        found += [f"made {scheme} {width}: {each}" for each in await as_it_is(page)]
        await page.goto(f"{service.url}/dashboard/keys/new")
        await page.get_by_label("Name").fill("Without a dialog")
        await page.evaluate("document.querySelector('#nkbody form').submit()")
        await page.locator("#new-key").wait_for()
        found += [f"made on its own page {scheme} {width}: {each}" for each in await violations(page, axe)]
        await context.close()
    assert found == [], "\n".join(found)


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_nothing_is_wider_than_the_smallest_screen(service: Service, chromium: Browser) -> None:  # noqa: F811
    names = await _furnish(service)
    page = await visit(chromium, service, "/dashboard")
    await page.set_viewport_size({"width": 320, "height": 700})
    wide: list[str] = []
    for path in (*PUBLIC, *DASHBOARD):
        await page.goto(_address(service, path, names))
        if (wider := await page.evaluate("document.documentElement.scrollWidth - innerWidth")) > 0:
            wide.append(f"{path}: {wider} px wider")
    assert wide == [], "\n".join(wide)


def _address(service: Service, path: str, names: dict[str, str]) -> str:
    return service.url + re.sub("[A-Z]{4,}", lambda match: names[match[0]], path)


async def _furnish(service: Service) -> dict[str, str]:
    """Something of everything: pictures in each state, a key with a long name, a connection, a webhook's place."""
    names = {"ACCOUNT": service.account_id}
    for name in ("DONE", "SECOND"):
        names[name] = (await service.generate(prompt=f"alpine ridgelines, {name}", modelId=SKETCH)).json()["image"][
            "id"
        ]
    service.stage.errors[REFUSED] = ModerationBlocked(extra={"stage": "input", "reason": "It names a real person."})
    refused = await service.generate(prompt=REFUSED, modelId=SKETCH)
    names["REFUSED"] = refused.json()["error"]["generationId"]
    await make_admin(service)
    secret = await service.make_key(name="Averylongnamewithoutanyspaceinit" * 2)
    async with service.client(secret) as client:
        wanted = {"prompt": "Donaudampfschifffahrtsgesellschaftskapitän" * 3, "modelId": SKETCH}
        names["LONG"] = (await client.post("/api/v1/images/generate", json=wanted)).json()["image"]["id"]
    client = await register(service, client_name="Atelier")
    async with signed_in(service) as browser:
        await client.tokens(browser)
        await browser.post("/dashboard/settings/invite", data={"email": "friend@example.org", "role": "member"})
    names["CONSENT"] = f"/oauth/authorize?{urlencode(client.question())}"
    service.stage.holding = True
    waiting = await service.generate(prompt="a slow one", modelId=SKETCH, waitSeconds=0)
    names["WAITING"] = waiting.json()["image"]["id"]
    return names
