"""python -m tools.demo [DIR] [--port N]: fills DIR through the front door, then serves it and prints the way in."""

import argparse
import asyncio
import html
import json
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from tests.peers import stripe
from tests.service import free_port, listening
from tools.demo import story
from tools.demo.clock import Calendar
from tools.demo.suppliers import PaintingBFL, PaintingGoogle, PaintingOpenAI

from limner import logs
from limner.accounts import accounts, sign_in
from limner.app import Services, running
from limner.config import Config
from limner.credits import ledger
from limner.db.base import Transaction
from limner.webhooks import endpoints

CALLBACKS = {"Claude": "https://claude.ai/api/mcp/auth_callback", "Codex": "http://127.0.0.1:7777/callback"}


@dataclass
class Demo:
    services: Services
    url: str
    calendar: Calendar
    stripe: stripe.StripePeer

    async def link(self, email: str) -> str:
        return self.url + await self.services.database.write(
            lambda tx: sign_in.sign_in_link(tx, email, self.calendar())
        )

    @asynccontextmanager
    async def browser(self, email: str) -> AsyncIterator[httpx2.AsyncClient]:
        headers = {"Origin": self.url, "Accept": "text/html"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=120, follow_redirects=True) as http:
            (await http.post(await self.link(email))).raise_for_status()
            yield http

    async def account(self, email: str, credits: int, *, is_admin: bool = False) -> str:
        def make(tx: Any) -> str:
            now = self.calendar()
            account_id, user_id = accounts.create(tx, email, now, verified=True)
            if is_admin:
                tx.execute("UPDATE users SET is_admin = 1 WHERE id = :id", id=user_id)
            if credits:
                ledger.add(tx, account_id, credits, "grant", ledger.Entry("Sign-up credits"), now)
            return account_id

        return await self.services.database.write(make)

    async def key(self, browser: httpx2.AsyncClient, made: story.KeyMade) -> str:
        page = await browser.post("/dashboard/keys", data={"name": made.name, "allows": "making"} | made.fields)
        found = re.search(r'id="new-key">([^<]+)<', page.text)
        if found is None:
            raise SystemExit(f"no key was made: {page.text[:500]}")
        return html.unescape(found[1])

    async def generate(self, key: str, wanted: dict[str, Any]) -> dict[str, Any]:
        async with httpx2.AsyncClient(base_url=self.url, timeout=120) as http:
            body = {"includeBytes": False} | wanted
            answer = await http.post("/api/v1/images/generate", json=body, headers={"Authorization": f"Bearer {key}"})
            return answer.json()

    async def buy(self, browser: httpx2.AsyncClient, pack: str) -> None:
        """Buy on the billing page, pay on the payment supplier's, and let it report."""
        sent = await browser.post("/dashboard/billing", data={"pack": pack}, follow_redirects=False)
        session_id = sent.headers["location"].rpartition("/")[2]
        for message in self.stripe.pay(session_id):
            body, signature = stripe.signed(message)
            async with httpx2.AsyncClient(base_url=self.url) as http:
                await http.post("/webhooks/stripe", content=body, headers={"stripe-signature": signature})

    async def connect(self, browser: httpx2.AsyncClient, name: str, cap: str) -> str:
        """Register a client, consent to it with a cap, and take its token."""
        from tests.oauth.client import ALL_SCOPES, Client, said, ticket_of

        callback = CALLBACKS[name]
        async with httpx2.AsyncClient(base_url=self.url, timeout=60) as http:
            registered = await http.post("/oauth/register", json={"client_name": name, "redirect_uris": [callback]})
            client = Client(self, registered.json()["client_id"], callback)  # type: ignore[arg-type] — has what it needs
            page = await client.ask(browser)
            form = {"ticket": ticket_of(page), "decision": "allow", "scope": ALL_SCOPES.split(), "cap": cap}
            answer = await browser.post("/oauth/authorize", data=form, follow_redirects=False)
            redeemed = await http.post(
                "/oauth/token",
                data={
                    "grant_type": "authorization_code",
                    "code": said(answer)["code"],
                    "client_id": client.id,
                    "redirect_uri": callback,
                    "code_verifier": client.verifier,
                    "resource": client.resource,
                },
            )
            return redeemed.json()["access_token"]


async def fill(demo: Demo) -> None:
    today = datetime.now(UTC).replace(hour=8, minute=12, second=40, microsecond=0)
    if today > datetime.now(UTC):
        today -= timedelta(hours=8)
    demo.calendar.be(today - timedelta(days=len(story.PER_DAY) + 1))
    await demo.account(story.OPERATOR, 0, is_admin=True)
    account_id = await demo.account(story.OWNER, 100)
    for email, credits, _ in story.OTHERS:
        await demo.account(email, credits)
    async with demo.browser(story.OWNER) as browser:
        await browser.post(
            "/dashboard/settings/account",
            data={"name": "Northlight Studio", "time_zone": "Europe/London", "retention_days": ""},
        )
        await browser.post("/dashboard/settings/you", data={"name": "Mara Lind", "shortcuts": "on", "theme": "system"})
        secrets = {made: await demo.key(browser, made) for made in story.KEYS}
        await demo.buy(browser, "credits-500")
        await _month(demo, browser, secrets, today, account_id)
        await _today(demo, browser, secrets)
    await _others(demo, account_id)
    await demo.services.database.write(_answered)
    demo.calendar.catch_up()


async def _begin(demo: Demo) -> None:
    """One picture is under way; those of earlier starts, which were lost, are gone."""
    async with demo.browser(story.OWNER) as browser:
        wall = (await browser.get("/dashboard/gallery", params={"q": story.WAITING})).text
        for lost in re.findall(r'id="f-([0-9a-f-]+)"', wall):
            await browser.post(f"/dashboard/images/{lost}/delete", follow_redirects=False)
        wanted = {"prompt": story.WAITING, "model": story.SUNBURST, "aspectRatio": "16:9", "key": str(uuid4())}
        await browser.post("/dashboard/playground", data=wanted, follow_redirects=False)


def _answered(tx: Transaction) -> None:
    """As if the addresses of the webhooks existed: all but the newest message arrived."""
    newest = tx.scalar("SELECT max(id) FROM deliveries")
    tx.execute(
        "UPDATE deliveries SET status = 'delivered', answered_status = 204, problem = NULL, ended_at = created_at "
        "WHERE id <> :newest",
        newest=newest,
    )


async def _month(
    demo: Demo, browser: httpx2.AsyncClient, secrets: dict[story.KeyMade, str], today: datetime, account_id: str
) -> None:
    turns = cycle((story.LAPTOP, story.LAPTOP, story.CURSOR, story.LAPTOP, story.BLOG))
    for days_ago, requests in story.month():
        morning = today - timedelta(days=days_ago)
        if days_ago == 18:
            await demo.buy(browser, "credits-500")
        if days_ago == 1:
            await demo.services.database.write(lambda tx: _webhooks(tx, account_id, demo.calendar()))
        if days_ago == 5:
            token = await demo.connect(browser, "Claude", "200")
            await demo.generate(token, {"prompt": "Tea fields in the rain, watercolour", "modelId": story.FLARE})
            await demo.connect(browser, "Codex", "")
        for index, wanted in enumerate(requests):
            demo.calendar.be(morning + timedelta(minutes=41 * index))
            made = story.OLD if days_ago > 24 else next(turns)
            await demo.generate(secrets[made], wanted)
        print(f"{days_ago} days ago: {len(requests)} pictures", flush=True)
        if days_ago == 24:
            listed = (await browser.get("/dashboard/keys")).text
            old = re.findall(r"<b[^>]*>Old laptop</b>.*?/dashboard/keys/([0-9a-f-]+)/revoke", listed, re.DOTALL)
            await browser.post(f"/dashboard/keys/{old[0]}/revoke")


def _webhooks(tx: Transaction, account_id: str, now: datetime) -> None:
    """Straight into the table: the page accepts only addresses that exist."""
    for url, events in story.WEBHOOKS:
        endpoints.create(tx, account_id, url, events, now)


async def _today(demo: Demo, browser: httpx2.AsyncClient, secrets: dict[story.KeyMade, str]) -> None:
    four = {"prompt": "Four moods of one harbour, gouache", "aspectRatio": "4:3", "modelId": story.FLARE, "n": 4}
    await demo.generate(secrets[story.LAPTOP], four)
    await demo.generate(secrets[story.CURSOR], {"prompt": story.REFUSED, "modelId": story.SUNBURST})
    await demo.generate(secrets[story.CHECKOUT], {"prompt": "A paper boat", "modelId": story.SKETCH})
    for email, role in (("jonas@northlight.example", "member"), ("books@northlight.example", "billing")):
        await browser.post("/dashboard/settings/invite", data={"email": email, "role": role})
    wanted = {"prompt": "Harbour town, summer morning", "aspectRatio": "16:9", "modelId": story.BANANA}
    await demo.generate(secrets[story.LAPTOP], wanted)


async def _others(demo: Demo, owner_account: str) -> None:
    for email, _, pictures in story.OTHERS:
        async with demo.browser(email) as browser:
            if pictures:
                key = await demo.key(browser, story.KeyMade("Agent"))
                for prompt, ratio, _model in story.ASKED[:pictures]:
                    await demo.generate(key, {"prompt": prompt, "aspectRatio": ratio, "modelId": story.SKETCH})
    async with demo.browser(story.OPERATOR) as admin:
        found = (await admin.get("/admin/accounts", params={"q": "spam"})).text
        spam = re.findall(r"/admin/accounts/([0-9a-f-]{36})", found)[0]
        grant = {"credits": "250", "why": "Thank you for the bug report", "key": "thanks"}
        await admin.post(f"/admin/accounts/{owner_account}/grant", data=grant)
        await admin.post(f"/admin/accounts/{spam}/suspend", data={"do": "suspend", "reason": "Sells what it draws"})


@asynccontextmanager
async def demonstration(data_dir: Path, port: int = 0) -> AsyncIterator[Demo]:
    """A server over `data_dir`, filled if it is empty."""
    calendar, fresh = Calendar(days_ago=len(story.PER_DAY) + 2), not (data_dir / "limner.db").exists()
    calendar.rules_ids()
    if not fresh:
        calendar.catch_up()
    port = port or free_port()
    async with AsyncExitStack() as stack:
        openai = stack.enter_context(PaintingOpenAI(calendar))
        google = stack.enter_context(PaintingGoogle(calendar))
        bfl = stack.enter_context(PaintingBFL(calendar))
        shop = stack.enter_context(stripe.StripePeer())
        environ = {
            "LIMNER_DATA_DIR": str(data_dir),
            "LIMNER_RATE_LIMIT": "0",
            "LIMNER_SIGNUP": "open",
            "LIMNER_OPENAI_API_KEY": "demo",
            "LIMNER_OPENAI_BASE_URL": openai.base_url,
            "LIMNER_GOOGLE_API_KEY": "demo",
            "LIMNER_GOOGLE_BASE_URL": google.base_url,
            "LIMNER_BFL_API_KEY": "demo",
            "LIMNER_BFL_BASE_URL": bfl.base_url,
            "LIMNER_STRIPE_SECRET_KEY": stripe.SECRET_KEY,
            "LIMNER_STRIPE_WEBHOOK_SECRET": stripe.WEBHOOK_SECRET,
            "LIMNER_STRIPE_BASE_URL": shop.origin,
        }
        server = await stack.enter_async_context(running(Config.from_env(environ, port=port), clock=calendar))
        await stack.enter_async_context(listening(server.app, port))
        demo = Demo(server.services, f"http://127.0.0.1:{port}", calendar, shop)
        if fresh:
            await fill(demo)
        await _begin(demo)
        yield demo


async def main() -> None:
    logs.set_up("warning", "text")
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, help="where it is kept; a temporary one unless given")
    parser.add_argument("--port", type=int, default=8808)
    given = parser.parse_args()
    directory = given.directory or Path(tempfile.mkdtemp(prefix="limner-demo-"))
    try:
        async with demonstration(directory, given.port) as demo:
            ways = {email: await demo.link(email) for email in (story.OWNER, story.OPERATOR)}
            print(json.dumps({"url": demo.url, **ways}, indent=2), flush=True)
            await asyncio.Event().wait()
    finally:
        if given.directory is None:
            shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main())
