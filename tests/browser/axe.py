"""axe-core in the page under test."""

from pathlib import Path

from playwright.sync_api import Page

_SCRIPT = (Path(__file__).parent / "vendor/axe-core-4.14.1/axe.min.js").read_text()
_RUN = "([within, options]) => axe.run(within ? {include: [[within]]} : document, options)"


def findings(page: Page, *, within: str = "", **options: object) -> list[str]:
    """What axe finds on the page, or within one element of it, as "rule: element"."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_SCRIPT)
    found = page.evaluate(_RUN, [within, {"resultTypes": ["violations"], "preload": False, **options}])
    return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]
