"""Settings, billing and administration: people, exports, the way out, and what administrators do to accounts."""

import io
import re
import zipfile

import pytest
from tests.service import Service
from tests.web.browser import PASSWORD, follow, make_admin, signed_in, stranger

from limner.credits import codes
from limner.db.types import now

PAGES = ("/dashboard/settings", "/dashboard/billing", "/dashboard/connections", "/dashboard/webhooks")
ADMIN = ("/admin/accounts", "/admin/models", "/admin/generations", "/admin/ledger", "/admin/audit")


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_answers(service: Service, path: str) -> None:
    async with signed_in(service) as browser:
        assert (await browser.get(path)).status_code == 200


@pytest.mark.parametrize("path", ADMIN)
async def test_administration_is_there_for_administrators_alone(any_service: Service, path: str) -> None:
    async with signed_in(any_service) as browser:
        assert (await browser.get(path)).status_code == 404
        await make_admin(any_service)
        assert (await browser.get(path)).status_code == 200


async def test_an_invited_member_makes_pictures_and_a_removed_one_is_out(service: Service) -> None:
    async with signed_in(service) as owner, stranger(service) as guest:
        page = await owner.post("/dashboard/settings/invite", data={"email": "Guest@example.org", "role": "member"})
        link = re.search(r"/sign-in/[\w-]{43}", page.text)
        assert link is not None
        joined = await follow(guest, link[0], password=PASSWORD)
        assert joined.url.path == "/dashboard"
        assert "100</b> credits" in joined.text  # the account's own
        refused = await guest.post("/dashboard/settings/invite", data={"email": "x@example.org"})
        assert refused.status_code == 403
        user_id = re.search(r"/members/([0-9a-f-]{36})/remove", (await owner.get("/dashboard/settings")).text)
        assert user_id is not None
        await owner.post(f"/dashboard/settings/members/{user_id[1]}/remove")
        assert (await guest.get("/dashboard")).url.path == "/sign-in"


async def test_everything_is_exported_and_then_forgotten(service: Service) -> None:
    image = (await service.generate(prompt="remember me")).json()["image"]
    async with signed_in(service) as browser, service.client() as anybody:
        packed = await browser.get("/dashboard/settings/export.zip")
        with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
            names = archive.namelist()
            assert b"remember me" in archive.read("images.jsonl")
        assert [name for name in names if name.endswith((".png", ".jsonl", "prompts.json"))] == names
        wrong = await browser.post("/dashboard/settings/delete", data={"email": "somebody@example.org"})
        assert wrong.status_code == 400
        await browser.post("/dashboard/settings/delete", data={"email": "owner@example.org"})
        assert (await browser.get("/dashboard")).url.path == "/sign-in"
        assert (await service.http.get("/api/v1/account")).status_code == 401
        assert (await anybody.get(image["imageUrl"])).status_code == 404
    assert await service.audit() == []


async def test_settings_are_kept_and_checked(service: Service) -> None:
    async with signed_in(service) as browser:
        fields = {"name": "Studio", "time_zone": "Europe/Berlin", "retention_days": "30"}
        page = await browser.post("/dashboard/settings/account", data=fields)
        assert 'value="Europe/Berlin"' in page.text
        wrong = await browser.post("/dashboard/settings/account", data=fields | {"time_zone": "../../etc/passwd"})
        assert wrong.status_code == 400


async def test_an_administrator_grants_once_suspends_and_looks_after_accounts_in_the_open(service: Service) -> None:
    account_id, key = await service.account("poor@example.org", credits=0)
    await make_admin(service)
    base = f"/admin/accounts/{account_id}"
    async with signed_in(service) as admin, service.client(key) as poor:
        for _ in range(2):  # a double click
            await admin.post(f"{base}/grant", data={"credits": "7", "why": "hello", "key": "once"})
        assert (await poor.get("/api/v1/account")).json()["creditBalance"] == 7
        await admin.post(f"{base}/suspend", data={"do": "suspend", "reason": "unpaid"})
        refused = await poor.post("/api/v1/images/generate", json={"prompt": "x"})
        assert refused.json()["error"]["code"] == "account_suspended"
        await admin.post(f"{base}/suspend", data={"do": "resume"})
        acting = await admin.post(f"{base}/act")
        assert "looking after" in acting.text
        assert "7</b> credits" in acting.text
        await admin.post("/admin/stop-acting")
        log = (await admin.get("/admin/audit")).text
        proof = await admin.post("/admin/ledger")
    for act in ("grant credits", "suspend account", "resume account", "act for account", "stop acting"):
        assert act in log
    assert "Everything agrees." in proof.text


async def test_a_session_may_manage_keys_over_rest_but_not_from_another_site(service: Service) -> None:
    async with signed_in(service) as browser:
        made = await browser.post("/api/v1/keys", json={"name": "from the browser"})
        forged = await browser.post("/api/v1/keys", json={"name": "x"}, headers={"Origin": "https://evil.example"})
        pictures = await browser.get("/api/v1/images")
    assert made.status_code in (200, 201)
    assert forged.status_code == 403
    assert pictures.status_code == 401


async def test_a_webhook_shows_its_secret_once_and_takes_no_address_inside(service: Service) -> None:
    async with signed_in(service) as browser:
        inside = await browser.post("/dashboard/webhooks", data={"url": "https://127.0.0.1/hook"})
        plain = await browser.post("/dashboard/webhooks", data={"url": "http://example.org/hook"})
        unknown = await browser.post("/dashboard/webhooks/0/delete")
    assert {inside.status_code, plain.status_code} == {400}
    assert unknown.status_code == 404


async def test_a_code_is_redeemed_once_on_the_billing_page(service: Service) -> None:
    _, code = await service.services.database.write(
        lambda tx: codes.create(tx, 40, now(), description="Conference", uses=5)
    )
    async with signed_in(service) as browser:
        page = await browser.post("/dashboard/billing/redeem", data={"code": code.lower()})
        assert "40 credits were added" in page.text
        again = await browser.post("/dashboard/billing/redeem", data={"code": code})
        assert (again.status_code, "already redeemed" in again.text) == (400, True)
        unknown = [
            (await browser.post("/dashboard/billing/redeem", data={"code": "2222-2222-2222-2222"})).status_code
            for _ in range(10)
        ]
    assert unknown[0] == 404
    assert unknown[-1] == 429
    assert (await service.balance()).available == 140


async def test_a_low_balance_is_said_on_every_page_at_the_accounts_own_line(service: Service) -> None:
    async with signed_in(service) as browser:
        assert "Few credits are left" not in (await browser.get("/dashboard")).text
        fields = {"name": "Owner", "time_zone": "UTC", "low_balance": "101"}
        saved = await browser.post("/dashboard/settings/account", data=fields)
        assert 'value="101"' in saved.text
        assert "Few credits are left" in (await browser.get("/dashboard/gallery")).text
