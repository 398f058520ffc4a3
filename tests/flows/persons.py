"""People of an installation who press buttons on its pages: plain forms, no script."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from tests.tools.installation import Browser, Installation
from vaultadmin.embedded.processes import wait_until


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    boxes: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page, with what a browser would send of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Form] = []
        self.button: tuple[str, str] | None = None
        self.label = ""
        self.area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Form(values.get("action", "")))
        elif not self.found:
            return
        elif tag == "button":
            self.button, self.label = (values.get("name", ""), values.get("value", "")), ""
        elif tag == "textarea":
            self.found[-1].fields[values.get("name", "")] = ""
        elif tag == "input":
            self.take(self.found[-1], values)

    def take(self, form: Form, values: dict[str, str]) -> None:
        kind, name = values.get("type", "text"), values.get("name", "")
        if kind == "file":
            form.files.append(name)
        elif kind == "password":
            form.secrets.append(name)
        elif kind == "checkbox":
            form.boxes.append(name)
        elif kind not in ("radio", "submit", "button", "reset") and name:
            form.fields[name] = values.get("value", "")

    def handle_data(self, data: str) -> None:
        self.label += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "button" and self.button is not None and self.found:
            self.found[-1].buttons.setdefault(" ".join(self.label.split()), self.button)
            self.button = None


class Person:
    """One signed-in person of one vault."""

    def __init__(self, installation: Installation, login: str, vault_id: int) -> None:
        self.installation, self.login, self.vault_id = installation, login, vault_id
        self.browser = Browser(installation.port, timeout=40)
        self.sign_in()

    def sign_in(self) -> None:
        self.browser.cookies.clear()
        assert self.browser.sign_in(self.login, self.password) == 302

    @property
    def password(self) -> str:
        word: str = self.installation.credentials["logins"][self.login]
        return word

    def path(self, rest: str) -> str:
        return f"/v/{self.vault_id}/{rest}"

    def page(self, rest: str) -> str:
        status, headers, html = self.browser.ask("GET", self.path(rest))
        if status == 302 and headers["location"].startswith("/accounts/"):
            # The session ended, or what is asked for needs a password given lately.
            self.sign_in()
            status, headers, html = self.browser.ask("GET", self.path(rest))
        assert status == 200, (status, headers.get("location"), self.path(rest))
        return html

    def press(
        self, rest: str, button: str, *, file: bytes | None = None, **values: str
    ) -> tuple[int, dict[str, str], str]:
        """Open a page, fill in its form as it stands and press one of its buttons."""
        form = next(form for form in Forms(self.page(rest)).found if button in form.buttons)
        name, value = form.buttons[button]
        ticks = dict.fromkeys(form.boxes, "on")
        words = dict.fromkeys(form.secrets, self.password)
        data: dict[str, Any] = form.fields | ticks | words | ({name: value} if name else {}) | values
        data["csrfmiddlewaretoken"] = self.browser.cookies.get("csrftoken", "")
        if file is not None:
            data[form.files[0]] = SimpleUploadedFile("link.connection.json", file)
        body = encode_multipart(BOUNDARY, data).decode("utf-8")
        return self.browser._exchange("POST", form.action or self.path(rest), body, {"Content-Type": MULTIPART_CONTENT})

    # The acts of flow A

    def create(self, api_name: str, *, remote_vault_id: int | None = None) -> None:
        remote = str(remote_vault_id or "")
        status, _, html = self.browser.ask(
            "POST",
            self.path("admin/connections/create/"),
            {
                "step": "review",
                "go": "save",
                "connection_type": "vault_to_vault__sys",
                "key": str(uuid4()),
                "name": f"Link {api_name}",
                "api_name": api_name,
                "remote_vault_id": remote,
            },
        )
        assert status == 302, html

    def download(self, api_name: str) -> bytes:
        status, headers, text = self.press(f"admin/connections/{api_name}/download/", "Download")
        assert (status, headers["content-type"]) == (200, "application/octet-stream"), text
        return text.encode()

    def upload(self, file: bytes, *, into: str = "") -> str:
        """Connect from File, on the list or on a record; the API name of the record."""
        rest = f"admin/connections/{into}/connect-from-file/" if into else "admin/connections/create/from-file/"
        status, headers, html = self.press(rest, "Continue", file=file)
        assert status == 302, html
        return headers["location"].rstrip("/").rpartition("/")[2]

    def complete(self, api_name: str, verdict: str, comment: str = "Checked by phone.") -> None:
        rest = f"admin/connections/{api_name}/complete/"
        status, _, html = self.press(rest, "Complete", verdict=verdict, comment=comment)
        assert status in (204, 302), html

    def withdraw(self, api_name: str) -> None:
        status, _, html = self.press(f"admin/connections/{api_name}/withdraw/", "Withdraw")
        assert status in (204, 302), html

    def reset(self, api_name: str) -> None:
        status, _, html = self.press(f"admin/connections/{api_name}/reset/", "Continue", reason="Asked for by phone")
        assert status in (204, 302), html

    def delete(self, api_name: str) -> None:
        status, _, html = self.press(f"admin/connections/{api_name}/delete/", "Delete", reason="Asked for by phone")
        assert status in (204, 302), html

    def state(self, api_name: str) -> str:
        rows = self.installation.rows(
            "SELECT state FROM connections_connection WHERE vault_id = %s AND api_name = %s", self.vault_id, api_name
        )
        return str(rows[0][0]).removesuffix("_state__sys") if rows else "missing"


def hurry(installation: Installation) -> None:
    """Let the messages that wait be due now. Those a worker is sending are left to it."""
    installation.rows(
        "UPDATE connections_outgoingpeermessage SET due_at = now() WHERE settled_at IS NULL AND lease_token IS NULL"
    )


def forget_leases(installation: Installation) -> None:
    """Whoever held them was killed; nobody has to wait a minute for that to be certain."""
    installation.rows("UPDATE connections_outgoingpeermessage SET lease_token = NULL, lease_until = NULL")


def wait_for(condition: Callable[[], bool], *installations: Installation, seconds: float = 120) -> bool:
    """Wait for something to become true, whatever has to be sent again for it."""
    hurried = 0.0

    def come() -> bool:
        nonlocal hurried
        if condition():
            return True
        if time.monotonic() - hurried > 3:
            for installation in installations:
                hurry(installation)
            hurried = time.monotonic()
        return False

    return bool(wait_until(come, seconds=seconds))


def come_to(*wanted: tuple[Person, str, str], seconds: float = 120) -> None:
    """Wait until each record (person, API name) is in its state."""
    there = wait_for(
        lambda: all(person.state(name) == state for person, name, state in wanted),
        *{id(person.installation): person.installation for person, _, _ in wanted}.values(),
        seconds=seconds,
    )
    assert there, [(name, person.state(name), state) for person, name, state in wanted]
