from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from playwright.sync_api import BrowserContext, expect

from connections.constants import APPROVAL_TASK
from connections.services import creating
from connections.services.handshake import establishing, files
from tests.browser import axe
from tests.browser.conftest import watched_page
from tests.factories.passkeys import make_passkey
from tests.factories.people import PASSWORD
from tests.guards.routes import Route, all_routes
from tests.guards.world import Place, build_place, in_for_long, signed_in
from vaultadmin import clock, standard_profiles
from vaultadmin.access import Gate
from vaultadmin.models import Membership, Task
from vaultadmin.permissions import can_any
from vaultadmin.services import links

Look = tuple[int, str, dict[str, object]]
CONTRAST = "color-contrast"
WIDE: Look = (1440, "light", {})
PHONE: Look = (390, "dark", {})
# A theme changes colours and nothing else, so three looks see all but the colours of a light phone.
WHOLE: tuple[Look, ...] = (WIDE, (1440, "dark", {"runOnly": [CONTRAST]}), PHONE)
OWNER, APPROVER, STAFF = (
    profile.api_name
    for profile in (standard_profiles.VAULT_OWNER, standard_profiles.CONNECTION_APPROVER, standard_profiles.SITE_STAFF)
)
# Behind keys that mails carry, and at other people's servers.
ELSEWHERE = ("password/reset/key/(", "password/reset/key/^", "oidc/")
# What marks a dialog that is a page of its own.
DIALOG = "dialog-card"
# A form opens its dialog with what was ticked, not by a click on it.
DIALOGS = """() => [...new Set([...document.querySelectorAll('[hx-target="#dialog-body"]:not(form)')]
    .map(link => link.getAttribute("hx-get")))]"""
OPEN = """address => document.querySelector(`[hx-target="#dialog-body"][hx-get="${address}"]`).click()"""
# What a dialog is made of, down to every class; two that differ in their words and addresses only have one shape.
SHAPE = """() => {
    const telling = new Set(["class", "type", "role", "style"]);
    const parts = ({name, value}) => telling.has(name) ? `${name}=${value}` : name;
    const speaks = one => [...one.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const shape = one => [one.tagName, one.childElementCount, speaks(one), ...[...one.attributes].map(parts).sort()];
    return [...document.querySelectorAll("#dialog *")].map(one => shape(one).join(" ")).join("\\n");
}"""


@pytest.fixture
def place(live_site, alive) -> Place:
    """A vault with one of everything, and a request another vault made, which waits for a verdict."""
    here, there = build_place(7001), build_place(7101)
    Task.objects.filter(title="Guarded").delete()
    asking, answering = there.people[OWNER], here.people[OWNER]
    connection = creating.create_vault_to_vault(name="Asked", api_name="asked", by=asking, now=clock.now())
    file = files.issue(connection=connection, file_id=uuid4(), by=asking, now=clock.now())
    establishing.connect_from_file(raw=file.content, by=answering, now=clock.now())
    approver = here.people[APPROVER].user
    TOTP.activate(approver, generate_totp_secret())
    RecoveryCodes.activate(approver)
    key = make_passkey(approver)
    token = links.issue(here.people[STAFF].user, purpose=links.RESET, now=clock.now()).rstrip("/").rsplit("/", 1)[1]
    here.ids |= {"task_id": Task.objects.get(vault=here.vault, kind=APPROVAL_TASK).pk, "pk": key.pk, "token": token}
    return here


@dataclass
class Visitor:
    """One person in one browser, who looks at pages and at the dialogs they open; `wrong` is what they found."""

    context: BrowserContext
    base: str
    wrong: list[str] = field(default_factory=list)
    # Dialogs as pages of their own, which are looked at last: most of them were seen as dialogs by then.
    later: list[str] = field(default_factory=list)
    pages: set[str] = field(default_factory=set)
    dialogs: set[str] = field(default_factory=set)
    shapes: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        axe.bring_along(self.context)
        self.page = watched_page(self.context, self.wrong)

    def walk(self, paths: list[str]) -> None:
        """Look at all of these addresses, dialogs last: one that was judged as a dialog is not judged as a page."""
        for path in paths:
            self.look(path)
        for path in [path for path in self.later if path not in self.dialogs]:
            self.page.goto(self.base + path)
            self.look_around(path)

    def look(self, path: str) -> None:
        """Open an address; what is no page for this person is only asked for."""
        answer = self.context.request.get(self.base + path, max_redirects=0)
        if answer.status == 500:
            self.wrong.append(f"{path} breaks")
        text = answer.text().lstrip()
        if answer.status != 200 or not text.lower().startswith("<!doctype"):
            return
        if DIALOG in text:
            self.later.append(path)
        else:
            self.page.goto(self.base + path)
            self.look_around(path)

    def look_around(self, path: str) -> None:
        """Judge the page that is open, and open every dialog it offers that was not seen before."""
        self.pages.add(path)
        # A dialog as a page of its own holds what the dialog holds, in the frame of every other page.
        self._judge(path, looks=(PHONE,) if self.page.locator(f".{DIALOG}").count() else WHOLE)
        for address in self.page.evaluate(DIALOGS):
            if address in self.dialogs:
                continue
            self.dialogs.add(address)
            self.page.evaluate(OPEN, address)
            expect(self.page.locator("#dialog")).to_be_visible()
            self._judge_dialog(address)
            self.page.keyboard.press("Escape")
            expect(self.page.locator("#dialog")).to_be_hidden()

    def _judge_dialog(self, address: str) -> None:
        """Judge the dialog that is open, unless one of its shape was."""
        shape = self.page.evaluate(SHAPE)
        if shape not in self.shapes:
            self.shapes.add(shape)
            self._judge(address, looks=(WIDE, PHONE), within="#dialog")

    def _judge(self, path: str, *, looks: tuple[Look, ...], within: str = "") -> None:
        for width, theme, options in looks:
            self.page.set_viewport_size({"width": width, "height": 900})
            found, wide = axe.look(self.page, within=within, theme=theme, **options)
            self.wrong += [f"{path} {theme} {width}: {finding}" for finding in found]
            if wide > width:
                self.wrong.append(f"{path}: {wide} of {width} px wide")


@pytest.fixture
def visitor(browser, live_site):
    """`visitor(user)`: signed in as that person, or as nobody."""
    contexts = []

    def go(user=None) -> Visitor:
        context = browser.new_context(reduced_motion="reduce")
        contexts.append(context)
        if user is not None:
            cookies = in_for_long(signed_in(user)).cookies
            context.add_cookies([{"name": key, "value": cookies[key].value, "url": live_site.url} for key in cookies])
        return Visitor(context, live_site.url)

    yield go
    for context in contexts:
        context.close()


def addresses(place: Place, who: str = "") -> list[str]:
    """Every address of the product for this person, or for nobody; an argument nobody thought of fails.

    What a profile does not open is refused (tests/guards/test_access.py). Pages of one's account are the same for
    everybody: the approver, who has every second factor, looks at them.
    """
    mine = [route for route in all_routes() if for_people(route) and (not who or is_for(place.people[who], route))]
    return [place.path(route) for route in mine]


def is_for(member: Membership, route: Route) -> bool:
    if not route.ours:
        return member.profile.api_name == APPROVER
    permissions = route.access.permissions if route.access else ()
    return not permissions or can_any(member, permissions)


def for_people(route: Route) -> bool:
    machine = route.access is not None and route.access.gate is Gate.MACHINE
    return not machine and not any(part in route.pattern for part in ELSEWHERE)


@pytest.mark.parametrize(("who", "least"), [(OWNER, 45), (APPROVER, 30), (STAFF, 10)])
def test_every_page_and_dialog_of_a_person_is_accessible_and_fits(visitor, place, who, least):
    person = visitor(place.people[who].user)

    person.walk(addresses(place, who))
    for path in ("/nowhere/", f"/v/{place.vault.pk}/admin/users/"):
        person.page.goto(person.base + path)
        person.look_around(f"{path} of {who}")

    assert person.wrong == []
    assert len(person.pages) >= least, sorted(person.pages)


def test_every_page_before_signing_in_is_accessible_and_fits(visitor, place):
    nobody = visitor()
    approver = place.people[APPROVER].user
    approver.set_password(PASSWORD)
    approver.save()

    nobody.walk([*addresses(place), "/nowhere/"])
    Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).delete()
    nobody.page.goto(f"{nobody.base}/accounts/login/")
    nobody.page.locator("input[name=login]").fill(approver.email)
    nobody.page.locator("input[name=password]").fill(PASSWORD)
    nobody.page.get_by_role("button", name="Sign in", exact=True).click()
    nobody.page.wait_for_url("**/2fa/authenticate/")
    nobody.look_around("the second factor")

    assert nobody.wrong == []
    assert len(nobody.pages) >= 7, sorted(nobody.pages)
