"""axe-core in the page under test."""

from pathlib import Path

from playwright.sync_api import BrowserContext, Page

_SCRIPT = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()
# Two frames later every colour has arrived.
_RUN = """async ([theme, within, options]) => {
    if (theme) document.documentElement.dataset.bsTheme = theme;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    const found = await axe.run(within ? {include: [[within]]} : document, options);
    const words = found.violations.flatMap(rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 160)}`));
    return [words, document.documentElement.scrollWidth];
}"""


def bring_along(context: BrowserContext) -> None:
    """Every page of this browser begins with axe, which spares sending it to each of them."""
    context.add_init_script(_SCRIPT)


def look(page: Page, *, within: str = "", theme: str = "", **options: object) -> tuple[list[str], int]:
    """What axe finds on the page, or within one element of it, as "rule: element", and how wide the page is."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_SCRIPT)
    words, width = page.evaluate(_RUN, [theme, within, {"resultTypes": ["violations"], "preload": False, **options}])
    return list(words), int(width)


def findings(page: Page, *, within: str = "") -> list[str]:
    """What axe finds on the page, or within one element of it, as "rule: element"."""
    return look(page, within=within)[0]
