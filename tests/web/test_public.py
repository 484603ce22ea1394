"""What strangers see: landing with pictures drawn here, prices, documentation, connect."""

import io
import re

import pytest
from PIL import Image
from tests.service import Service
from tests.web.browser import stranger

PAGES = (
    "/",
    "/pricing",
    "/docs",
    "/docs/api",
    "/docs/rest",
    "/docs/operate/configuration",
    "/connect",
    "/sign-in",
    "/sign-up",
)


@pytest.mark.parametrize("path", PAGES)
async def test_every_public_page_answers_strangers(service: Service, path: str) -> None:
    async with stranger(service) as browser:
        page = await browser.get(path)
    assert page.status_code == 200
    assert " style=" not in page.text


async def test_the_landing_page_draws_what_a_visitor_types(service: Service) -> None:
    async with stranger(service) as browser:
        page = await browser.get("/?words=%3Cscript%3Ealert(1)")
        picture = await browser.get("/samples?words=apricot dunes")
        hung = await browser.get("/samples/0")
    assert "<script>alert" not in page.text
    with Image.open(io.BytesIO(picture.content)) as drawn:
        assert drawn.size == (960, 540)
    assert hung.headers["content-type"] == "image/webp"


async def test_a_stranger_draws_only_so_often(service: Service) -> None:
    async with stranger(service) as browser:
        answers = [(await browser.get(f"/samples?words=w{number}")).status_code for number in range(11)]
    assert answers == [200] * 10 + [429]


async def test_the_documentation_is_searched_and_handed_to_agents(service: Service) -> None:
    async with stranger(service) as browser:
        hits = await browser.get("/docs?q=idempotency key")
        short = await browser.get("/llms.txt")
        full = await browser.get("/llms-full.txt")
        markdown = await browser.get("/docs/rest.md")
        missing = await browser.get("/docs/../../etc/passwd")
    assert "/docs/rest#" in hits.text
    assert not re.search(r"<p>[^<]*(---|\| )", hits.text), "excerpts are words, not marks"
    assert f"{service.url}/docs/rest.md" in short.text
    assert markdown.text in full.text + "\n"
    assert missing.status_code == 404


async def test_each_section_is_found_once_and_its_excerpt_has_whole_words(service: Service) -> None:
    async with stranger(service) as browser:
        page = (await browser.get("/docs?q=webhooks n8n")).text
    assert page.count('href="/docs/recipes/webhooks#webhooks-and-n8n"') == 1
    assert "<p></p>" not in page
    assert "<p>…</p>" not in page


async def test_the_api_reference_shows_code_as_code(service: Service) -> None:
    async with stranger(service) as browser:
        page = (await browser.get("/docs/api")).text
    assert "<code>respond-async</code> answers 202" in page
    assert "`" not in page.partition("<article")[2].partition("</article>")[0]


async def test_links_between_documents_lead_to_pages_that_exist(service: Service) -> None:
    async with stranger(service) as browser:
        page = (await browser.get("/docs/start")).text
        found = {each.partition('"')[0].partition("#")[0] for each in page.split('href="')[1:]}
        answers = {each: (await browser.get(each)).status_code for each in sorted(found) if each.startswith("/docs/")}
    assert set(answers.values()) == {200}


async def test_an_unknown_page_is_a_page_for_people_and_data_for_programs(service: Service) -> None:
    async with stranger(service) as browser:
        page = await browser.get("/nothing-here")
        data = await browser.get("/nothing-here", headers={"Accept": "application/json"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert data.json()["error"]["code"] == "not_found"


async def test_every_picture_of_the_documentation_is_there_and_says_its_size(service: Service) -> None:
    async with stranger(service) as browser:
        names = re.findall(r"\((\S+)\.md\)", (await browser.get("/llms.txt")).text)
        pages = {name: (await browser.get(name)).text for name in names}
        images = {image for page in pages.values() for image in re.findall(r'<img [^>]*src="/docs/[^>]*>', page)}
        for image in images:
            source = re.search(r'src="([^"]+)"', image)
            assert source is not None
            answer = await browser.get(source[1])
            assert (answer.status_code, answer.headers["content-type"].partition("/")[0]) == (200, "image"), image
            assert re.search(r'width="\d+"', image), image
    assert any(image.count(".svg") for image in images)
    assert any(image.count(".webp") for image in images)


async def test_what_the_documentation_says_to_our_tools_is_not_shown(service: Service) -> None:
    async with stranger(service) as browser:
        shown = (await browser.get("/docs/performance")).text
        markdown = (await browser.get("/docs/performance.md")).text
    assert "Read an account over REST" in shown
    assert ("&lt;!--" in shown, "<!--" in markdown) == (False, False)
