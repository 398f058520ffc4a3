import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest
from django.core.wsgi import get_wsgi_application
from django.template import engines
from django.test import RequestFactory, override_settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

Render = Callable[..., str]
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture
def render(rf: RequestFactory) -> Render:
    def draw(source: str, path: str = "/", **context: Any) -> str:
        template = engines["django"].from_string("{% load ui %}" + source)
        return template.render({"request": rf.get(path), **context})

    return draw


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    def log_message(self, *args: Any) -> None:
        return None


@pytest.fixture(scope="module")
def sample_url() -> Iterator[str]:
    """The sample pages, served with the product's own middleware; nobody is signed in, so no database is asked."""
    with override_settings(ROOT_URLCONF="tests.vaultadmin.ui.sample_site"):
        server = make_server("127.0.0.1", 0, get_wsgi_application(), server_class=_Server, handler_class=_Silent)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Browser, sample_url: str) -> Iterator[Callable[..., Page]]:
    """`page = open_page("/list/", theme="dark", width=390)`; a message on the console fails the test."""
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def go(path: str, *, theme: str = "light", width: int = 1440, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.add_cookies([{"name": "theme", "value": theme, "url": sample_url}])
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(sample_url + path)
        return page

    yield go
    for context in opened:
        context.close()
    # A refused form or page is an answer, not a fault of the script.
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []
