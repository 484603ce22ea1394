"""What axe says about a page in a real browser."""

from playwright.async_api import Page
from tests.node_tools import MODULES

LOOKS = [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]


def source() -> str:
    """The program, to be run in the page; the packages have to be installed (fixture `node`)."""
    return (MODULES / "axe-core" / "axe.min.js").read_text()


async def violations(page: Page, axe: str) -> list[str]:
    """What axe says of the page with all that unfolds unfolded and a picture picked, and of each dialog."""
    await page.evaluate(axe)
    await page.evaluate("document.querySelectorAll('details').forEach(each => { each.name = ''; each.open = true; })")
    await page.evaluate("document.querySelector('.pick input:not(:checked)')?.click()")
    said = await as_it_is(page)
    for number in range(await page.locator("dialog:not([open])").count()):
        await page.evaluate("number => document.querySelectorAll('dialog')[number].showModal()", number)
        said += [f"dialog: {each}" for each in await as_it_is(page)]
        await page.evaluate("number => document.querySelectorAll('dialog')[number].close()", number)
    return said


async def as_it_is(page: Page) -> list[str]:
    """What axe says, its rule for small targets included, and whether anything makes the page scroll sideways."""
    said: list[str] = await page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ['violations'], rules: {'target-size': {enabled: true}}})).violations
               .flatMap(each => each.nodes.map(node => `${each.id} ${node.html.slice(0, 120)}`))"""
    )
    wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*said, *([f"{wider} px wider than the window"] if wider > 0 else [])]
