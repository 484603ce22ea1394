"""What axe says about a page in a real browser."""

from playwright.async_api import Page
from tests.node_tools import MODULES

LOOKS = [("light", 1440), ("dark", 1440), ("light", 390), ("dark", 390)]


def source() -> str:
    """The program, to be run in the page; the packages have to be installed (fixture `node`)."""
    return (MODULES / "axe-core" / "axe.min.js").read_text()


async def violations(page: Page, axe: str) -> list[str]:
    """What axe says, and whether anything makes the page scroll sideways."""
    await page.evaluate(axe)
    said: list[str] = await page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
               .flatMap(each => each.nodes.map(node => `${each.id} ${node.html.slice(0, 120)}`))"""
    )
    wider = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*said, *([f"{wider} px wider than the window"] if wider > 0 else [])]
