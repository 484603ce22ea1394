"""The viewer app in a real browser, in a sandboxed frame as chat clients give it, its host played by the test."""

import shutil
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

import pytest
from mcp import Client
from playwright.async_api import FrameLocator, Page, async_playwright, expect
from tests.service import Service, until
from tests.tools import missing

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

HOST = """
<iframe sandbox="allow-scripts" style="width:700px;height:900px"></iframe>
<script>
const frame = document.querySelector("iframe");
const send = (message) => frame.contentWindow.postMessage({ jsonrpc: "2.0", ...message }, "*");
const capabilities = { openLinks: {}, downloadFile: {}, updateModelContext: {} };
addEventListener("message", async ({ data }) => {
  if (data.id === undefined || !data.method) return;
  if (data.method === "ui/initialize")
    return send({ id: data.id, result: { protocolVersion: "2026-01-26", hostCapabilities: capabilities, hostContext: { theme: "dark" } } });
  send({ id: data.id, result: await window.answer(data.method, data.params) });
});
</script>
"""


@dataclass
class Host:
    """What a chat client does for the app: hands it results and calls tools for it."""

    client: Client
    page: Page
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    async def answer(self, method: str, params: dict[str, Any]) -> Any:
        self.asked.append((method, params))
        return await self._call(params["name"], params["arguments"]) if method == "tools/call" else {}

    async def show(self, tool: str, arguments: dict[str, Any]) -> FrameLocator:
        """The app, opened for a call and given its result."""
        result = await self._call(tool, arguments)
        page = resources.files("limner.mcp_server").joinpath("viewer.html").read_text()
        await self.page.set_content(HOST)
        await self.page.evaluate("page => { document.querySelector('iframe').srcdoc = page }", page)
        app = self.page.frame_locator("iframe")
        await expect(app.get_by_role("status")).to_be_visible()
        await self.page.wait_for_function("document.querySelector('iframe').contentWindow !== null")
        await self._send("ui/notifications/tool-input", {"arguments": arguments})
        await self._send("ui/notifications/tool-result", result)
        return app

    async def _send(self, method: str, params: Any) -> None:
        await self.page.evaluate("message => send(message)", {"method": method, "params": params})

    async def _call(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = await self.client.call_tool(name, arguments)
        return result.model_dump(mode="json", by_alias=True, exclude_none=True)


@asynccontextmanager
async def hosted(service: Service) -> AsyncIterator[Host]:
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("chromium")
    async with service.mcp() as client, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page()
        host = Host(client, page)
        page.on("request", lambda request: host.fetched.append(request.url))
        await page.expose_function("answer", host.answer)
        yield host
        await browser.close()


async def test_it_shows_all_pictures_and_makes_variations_that_are_new(service: Service) -> None:
    async with hosted(service) as host:
        app = await host.show("generate_image", {"prompt": "two boats", "n": 2, "idempotencyKey": "mine"})
        await expect(app.get_by_role("img", name="two boats")).to_have_count(2)
        await expect(app.get_by_role("status")).to_contain_text("98 credits left")
        await app.get_by_role("button", name="Another variation (1 credit)").click()
        await expect(app.get_by_role("img", name="two boats")).to_have_count(3)
        await app.get_by_role("button", name="two boats").nth(1).press("Enter")
        await expect(app.get_by_role("button", name="two boats").nth(1)).to_have_attribute("aria-pressed", "true")
    made = next(params["arguments"] for method, params in host.asked if params.get("name") == "generate_image")
    assert made["prompt"] == "two boats"
    assert made["idempotencyKey"] not in ("", "mine")
    assert "ui/update-model-context" in [method for method, _ in host.asked]
    assert [url for url in host.fetched if not url.startswith(("data:", "about:"))] == []


async def test_it_edits_and_downloads_the_chosen_picture(service: Service) -> None:
    async with hosted(service) as host:
        app = await host.show("generate_image", {"prompt": "a boat"})
        await app.get_by_role("button", name="Edit", exact=True).click()
        await app.get_by_label("What to change").fill("make it night")
        await app.get_by_label("What to change").press("Enter")
        await expect(app.get_by_role("img", name="make it night")).to_have_count(1)
        await app.get_by_role("button", name="Download").click()
        await until(lambda: "ui/download-file" in [method for method, _ in host.asked])
        await expect(app.get_by_role("button", name="Open")).to_be_visible()
    edited = next(params["arguments"] for _, params in host.asked if params.get("name") == "edit_image")
    assert (edited["instruction"], len(edited["images"])) == ("make it night", 1)
    (file,) = next(params["contents"] for method, params in host.asked if method == "ui/download-file")
    chosen = await service.http.get(f"/api/v1/images/{edited['images'][0]}?format=metadata")
    assert len(b64decode(file["resource"]["blob"])) == chosen.json()["image"]["sizeBytes"]


async def test_it_waits_for_a_running_picture(service: Service) -> None:
    service.stage.holding = True
    async with hosted(service) as host:
        app = await host.show("generate_image", {"prompt": "slow", "waitSeconds": 0})
        await expect(app.get_by_text("slow")).to_be_visible()
        await expect(app.get_by_role("img")).to_have_count(0)
        service.stage.let_go()
        await expect(app.get_by_role("img", name="slow")).to_have_count(1)
    assert {params["name"] for method, params in host.asked if method == "tools/call"} == {"get_image"}
