import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.factories.connections import make_certificate
from tests.factories.people import PASSWORD
from tests.tools.fixtures import LiveSite
from vaultadmin import standard_profiles
from vaultadmin.audit import System
from vaultadmin.models import Application, Membership, User, Vault
from vaultadmin.services import heartbeats, vaults

# Playwright's own loop runs in this thread; the database is used between its calls, never within them.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
BY = System("Browser test")
# Refused forms and pages are answers, not faults of a script.
EXPECTED = "the server responded with a status of 4"

# As long as any other wait for a page here: what a busy machine takes is no finding.
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield started
        started.close()


@dataclass
class Person:
    """One person with a browser of their own."""

    user: User
    page: Page
    base: str

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page


@pytest.fixture
def sign_in(browser: Browser, live_site: LiveSite) -> Iterator[Callable[..., Person]]:
    """`person = sign_in(user)`: a fresh browser, signed in through the form; a script error fails the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def go(user: User, *, theme: str = "light", width: int = 1440, **options: Any) -> Person:
        context = browser.new_context(viewport={"width": width, "height": 900}, accept_downloads=True, **options)
        context.add_cookies([{"name": "theme", "value": theme, "url": live_site.url}])
        contexts.append(context)
        page = watched_page(context, complaints)
        page.goto(f"{live_site.url}/accounts/login/")
        page.locator("input[name=login]").fill(user.email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(lambda url: "/accounts/login/" not in url)
        return Person(user, page, live_site.url)

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def watched_page(context: BrowserContext, complaints: list[str]) -> Page:
    """A page whose script errors and console errors, broken content policies among them, are written down."""

    def note(text: str) -> None:
        if EXPECTED not in text:
            complaints.append(f"{page.url}: {text}")

    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", lambda line: note(line.text) if line.type == "error" else None)
    return page


@pytest.fixture
def alive(live_site: LiveSite) -> None:
    """Every queue and beat have just shown that they work, so no page carries the banner."""
    for name in ("beat", "queue:interactive", "queue:delivery", "queue:processing", "queue:sync", "queue:maintenance"):
        heartbeats.beat(name, now=timezone.now())


@pytest.fixture
def two_vaults(live_site: LiveSite, alive: None) -> tuple[Vault, Vault]:
    make_certificate()
    return new_vault(1001, "Alpha", "alpha.localhost"), new_vault(1002, "Beta", "beta.localhost")


def new_vault(number: int, name: str, dns: str) -> Vault:
    return vaults.create_vault(
        id=number, name=name, dns=dns, application=Application.CLINICAL_OPERATIONS, by=BY, now=timezone.now()
    )


def new_person(name: str, profile: standard_profiles.StandardProfile, *places: Vault) -> User:
    user = User.objects.create_user(f"{name.lower()}@example.test", PASSWORD, name=name)
    for vault in places:
        Membership.objects.create(user=user, vault=vault, profile=standard_profiles.find(vault, profile))
    return user
