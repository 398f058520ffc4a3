import ast
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.contrib.staticfiles import finders
from django.template.loader import get_template

from vaultadmin.templatetags import _states, ui

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
FIRST_LOAD = (
    "vendor/tabler-core-1.6.1/tabler.min.css",
    "vendor/htmx.org-4.0.1/htmx.min.js",
    ui.SPRITE,
    "css/shell.css",
    "css/components.css",
    "css/approvals.css",
    "css/drift.css",
    "js/app.js",
    "js/dialogs.js",
    "js/downloads.js",
    "js/menus.js",
    "js/palette.js",
    "js/times.js",
    "img/mark.svg",
)
NO_ICON = ""
_ICON_IN_TEMPLATE = re.compile(
    r"""{%\s*(?:icon|empty_state)\s+"([^"]+)"|(?<![-\w])icon="([^"]+)"|\bicon\|default:"([^"]+)\""""
)


def symbols() -> set[str]:
    # The file is ours, made by static/vendor/update.sh.
    tree = ElementTree.parse(ROOT / "static" / ui.SPRITE)
    return {symbol.attrib["id"] for symbol in tree.iter("{http://www.w3.org/2000/svg}symbol")}


def named_in_templates() -> Iterator[str]:
    for path in TEMPLATES:
        for groups in _ICON_IN_TEMPLATE.findall(path.read_text()):
            yield from filter(None, groups)


def named_in_code() -> Iterator[str]:
    for package in ("vaultadmin", "connections", "ecoa"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "icon" and isinstance(node.value, ast.Constant):
                    yield str(node.value.value)
                if isinstance(node, ast.Dict):
                    for key, value in zip(node.keys, node.values, strict=True):
                        if isinstance(key, ast.Constant) and key.value == "icon" and isinstance(value, ast.Constant):
                            yield str(value.value)


def test_every_icon_named_anywhere_is_in_the_sprite():
    named = {*named_in_templates(), *named_in_code(), *(look.icon for look in _states._LOOKS.values())} - {NO_ICON}

    assert sorted(named - symbols()) == []
    assert len(named) > 30


def test_every_entry_of_the_navigation_has_its_icon():
    from vaultadmin.site import navigation

    icons = {item.icon for _, items in navigation.SECTIONS for item in items}

    assert sorted(icons - symbols()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_every_template_compiles(path):
    get_template(str(path.relative_to(ROOT / "templates")))


def test_a_first_visit_stays_small_over_the_wire():
    sizes = {name: len(gzip.compress((ROOT / "static" / name).read_bytes())) for name in FIRST_LOAD}

    assert sum(sizes.values()) < 150_000, sizes


def test_the_document_names_the_files_of_the_first_load():
    text = (ROOT / "templates/components/document.html").read_text()

    assert set(re.findall(r"{% static '([^']+)' %}", text)) == set(FIRST_LOAD) - {ui.SPRITE}
    assert all(finders.find(name) for name in FIRST_LOAD)


def test_vendored_packages_carry_their_licence_and_version():
    overview = (ROOT / "static/vendor/VERSIONS.md").read_text()
    folders = [path for path in (ROOT / "static/vendor").iterdir() if path.is_dir()]

    assert len(folders) == 4
    for folder in folders:
        assert (folder / "LICENSE").exists()
        assert f"`{folder.name}/`" in overview


def test_scripts_evaluate_nothing_and_store_nothing_in_the_browser():
    for path in (ROOT / "static/js").glob("*.js"):
        text = path.read_text()
        for forbidden in ("eval(", "new Function", "innerHTML", "insertAdjacentHTML", "localStorage", "sessionStorage"):
            assert forbidden not in text, (path.name, forbidden)
