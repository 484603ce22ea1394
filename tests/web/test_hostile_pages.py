"""Pages under hostile words: names, prompts and file names that are scripts, and forms sent from elsewhere."""

import re

import pytest
from tests.service import SKETCH, Service
from tests.web.browser import make_admin, signed_in, stranger

SCRIPT = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>"
EVERY_PAGE = (
    *("/", "/pricing", "/docs", "/docs/api", "/docs/rest", "/connect", "/sign-in", f"/?words={SCRIPT}"),
    *("/dashboard", "/dashboard/gallery", f"/dashboard/gallery?q={SCRIPT}", "/dashboard/playground"),
    *(f"/dashboard/playground?prompt={SCRIPT}", "/dashboard/keys", f"/dashboard/keys/new?client={SCRIPT}"),
    *("/dashboard/usage", "/dashboard/billing", "/dashboard/webhooks", "/dashboard/connections"),
    *("/dashboard/settings", f"/dashboard/{SCRIPT}", f"/connect?client={SCRIPT}", f"/docs?q={SCRIPT}"),
    *("/admin/accounts", f"/admin/accounts?q={SCRIPT}", "/admin/models", "/admin/generations", "/admin/audit"),
    "/admin/ledger",
)


async def test_no_word_becomes_markup_and_no_page_has_inline_code(service: Service) -> None:
    image = await _write_scripts_everywhere(service)
    own = (f"/dashboard/images/{image}", f"/dashboard/playground?edit={image}", f"/dashboard/playground?from={image}")
    async with signed_in(service) as browser:
        for path in (*EVERY_PAGE, *own, f"/admin/accounts/{service.account_id}"):
            page = await browser.get(path)
            assert page.status_code in (200, 404), path
            assert _inline(page.text, service.url) == [], path


async def test_every_form_of_every_page_is_refused_from_another_site(service: Service) -> None:
    image = await _write_scripts_everywhere(service)
    own = (f"/dashboard/images/{image}", f"/dashboard/playground?edit={image}", f"/admin/accounts/{service.account_id}")
    async with signed_in(service) as browser:
        actions: set[str] = set()
        for path in (*EVERY_PAGE, *own):
            actions |= _actions((await browser.get(path)).text)
        assert len(actions) > 20, "there are that many forms"
        for origin in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            for action in sorted(actions):
                answer = await browser.post(action, headers=origin, data={"key": "k"}, follow_redirects=False)
                assert answer.status_code == 403, f"{action} from {origin}"
        assert (await browser.get("/dashboard")).url.path == "/dashboard", "still signed in, nothing was done"
    assert (await service.http.get(f"/api/v1/images/{image}?format=metadata")).json()["image"]["status"] == "succeeded"


async def test_a_bug_is_a_page_with_its_request_id_and_no_trace(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a secret detail")

    async with signed_in(service) as browser:
        monkeypatch.setattr(service.services.images, "page", broken)
        page = await browser.get("/dashboard/gallery")
    assert page.status_code == 500
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["x-request-id"] in page.text
    assert "a secret detail" not in page.text


async def test_files_of_the_pages_are_compressed_and_cached_for_good(service: Service) -> None:
    async with stranger(service) as browser:
        home = (await browser.get("/")).text
        files = re.findall(r'(?:src|href)="(/static/[^"#]+)', home)
        css = next(each for each in files if "app.css" in each)
        fonts = re.findall(r"url\((/static/fonts/[^)]+)\)", (await browser.get(css)).text)
        assert len(fonts) == 2
        for path in {*files, *fonts}:
            answer = await browser.get(path)
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable", path
            assert path.endswith(".woff2") or "woff2" in path or answer.headers["content-encoding"] == "gzip", path
            known = await browser.get(path, headers={"If-None-Match": answer.headers["etag"]})
            assert known.status_code == 304


async def _write_scripts_everywhere(service: Service) -> str:
    """The id of a picture whose prompt and style are scripts, beside a key, a user and an invitation named so."""
    made = await service.generate(prompt=SCRIPT, style=SCRIPT, modelId=SKETCH)
    await service.make_key(name=SCRIPT[:80])
    await make_admin(service)
    async with signed_in(service) as browser:
        await browser.post("/dashboard/settings/you", data={"name": SCRIPT[:80], "shortcuts": "on", "theme": "system"})
        await browser.post(
            "/dashboard/settings/account", data={"name": SCRIPT[:80], "time_zone": "UTC", "retention_days": ""}
        )
        await browser.post("/dashboard/settings/invite", data={"email": "friend@example.org", "role": "member"})
        grant = {"credits": "5", "why": SCRIPT, "key": "one"}
        await browser.post(f"/admin/accounts/{service.account_id}/grant", data=grant)
        await browser.post(f"/dashboard/images/{made.json()['image']['id']}/share")
    image_id: str = made.json()["image"]["id"]
    return image_id


def _inline(html: str, url: str) -> list[str]:
    """Inline scripts and styles, event attributes, and anything loaded from elsewhere."""
    tags = re.findall(r"<[a-zA-Z](?:[^>\"']|\"[^\"]*\"|'[^']*')*>", html)
    said = [tag for tag in tags if re.match(r"<(script(?![^>]*\ssrc=)|style|iframe|object|embed|base)\b", tag)]
    for tag in tags:
        bare = re.sub(r"\"[^\"]*\"|'[^']*'", '""', tag)
        said += [tag] if re.search(r"\s(on[a-z]+|style)\s*=", bare) else []
        loaded = re.findall(r"(?:src|srcset)=\"(https?:[^\"]*)", tag)
        said += [each for each in loaded if not each.startswith(url)]
    return said


def _actions(html: str) -> set[str]:
    forms = re.findall(r"<form\b(?:[^>\"']|\"[^\"]*\"|'[^']*')*>", html)
    posted = [form for form in forms if 'method="post"' in form]
    return {found[1] for form in posted if (found := re.search(r'\saction="([^"]+)"', form)) is not None}
