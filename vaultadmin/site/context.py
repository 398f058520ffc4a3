"""What the shell around every page shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from vaultadmin import clock, place
from vaultadmin.models import Installation, Membership, User, Vault
from vaultadmin.site import navigation, vital_signs
from vaultadmin.worklist import selectors as worklist

THEMES = ("light", "dark", "system")


def shell(request: HttpRequest) -> dict[str, Any]:
    """Navigation, switcher, banner and theme; nothing of a vault for people who are not signed in."""
    context: dict[str, Any] = {
        "theme": theme(request),
        "installation": {"name": "vaultadmin", "accent": "blue", "development": not settings.PRODUCTION},
        "member": getattr(request, "member", None),
        "vault": getattr(request, "vault", None),
    }
    if not getattr(request, "user", None) or not request.user.is_authenticated or request.headers.get("HX-Request"):
        return context
    member = context["member"]
    installation = _installation(member)
    context["installation"] |= {"name": installation.name, "accent": installation.accent}
    waiting = worklist.waiting_of(installation, member) if member else 0
    return context | {
        "vaults": _vaults(request, request.user),
        "nav": navigation.sections(member, request.path, waiting=waiting) if member else [],
        "banner": _banner(installation),
        "open_dialog": _dialog_to_open(request),
    }


def _installation(member: Membership | None) -> Any:
    """The installation with all the shell says of it and of this member, in one query."""
    parts = vital_signs.parts() | (worklist.waiting_parts(member) if member else {})
    rows = Installation.objects.filter(singleton=True).annotate(**parts)
    return rows.first() or rows.get(pk=Installation.current().pk)


def _vaults(request: HttpRequest, user: User) -> list[Vault]:
    """The vaults of the switcher: the door read them, except where the page is none of a vault."""
    read: list[Vault] | None = getattr(request, "vaults", None)
    return read if read is not None else list(Vault.objects.visible_to_user(user))


def _banner(installation: Any) -> str:
    """The one sentence everybody should see now: what holds everything first."""
    if place.differences(installation.place):
        return place.HELD
    return vital_signs.of(installation, now=clock.now()).sentence


def _dialog_to_open(request: HttpRequest) -> str:
    """The dialog the address asks for, after somebody proved again who they are; only one of this very vault."""
    path, vault = request.GET.get("dialog", ""), getattr(request, "vault", None)
    if vault is None or not path.startswith(f"/v/{vault.pk}/"):
        return ""
    try:
        resolve(path.partition("?")[0])
    except Resolver404:
        return ""
    return path


def theme(request: HttpRequest) -> str:
    """The person's choice of theme, from a cookie, so that the first paint is right."""
    chosen = request.COOKIES.get("theme", "system")
    return chosen if chosen in THEMES else "system"
