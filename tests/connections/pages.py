import re

from allauth.account.internal.flows.login import _AUTHENTICATION_METHODS_USER_SESSION_KEY
from django.http.response import HttpResponseBase
from django.test import Client
from django.urls import reverse

from connections.models import Connection
from vaultadmin import clock
from vaultadmin.models import Membership

HTMX = {"HX-Request": "true"}


def sign_in(member: Membership) -> Client:
    """A browser of this member who has just proved who they are."""
    client = Client()
    client.force_login(member.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": clock.now().timestamp()}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(member.user.pk)
    session.save()
    return client


def hidden_fields(html: str) -> dict[str, str]:
    """Name and value of every hidden input, as a browser would send them back."""
    inputs = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", html)
    fields = {}
    for tag in inputs:
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] != "csrfmiddlewaretoken":
            fields[name[1]] = value[1] if value else ""
    return fields


def address(connection: Connection, name: str = "record") -> str:
    return reverse(f"connections:{name}", args=[connection.vault_id, connection.api_name])


def create_url(member: Membership) -> str:
    return reverse("connections:create", args=[member.vault_id])


def walk(browser: Client, page: str, type_: str, /, **details: str) -> HttpResponseBase:
    """Go through the wizard the way a browser without JavaScript does; the last answer."""
    answer = browser.post(page, {"connection_type": type_, "step": "type", "go": "continue"})
    fields = hidden_fields(answer.content.decode())
    answer = browser.post(page, fields | {"go": "continue", "name": "Link", "api_name": "link"} | details)
    if answer.status_code != 200:
        return answer
    return browser.post(page, hidden_fields(answer.content.decode()) | {"go": "save"})
