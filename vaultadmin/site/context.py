"""What the shell around every page shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from vaultadmin import clock, place
from vaultadmin.models import Installation, Vault
from vaultadmin.site import navigation, vital_signs

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
    installation = Installation.objects.filter(singleton=True).first()
    if installation is not None:
        context["installation"] |= {"name": installation.name, "accent": installation.accent}
    return context | {
        "vaults": list(Vault.objects.visible_to_user(request.user)),
        "nav": navigation.sections(member, request.path) if member else [],
        "banner": _banner(installation),
        "open_dialog": _dialog_to_open(request),
    }


def _banner(installation: Installation | None) -> str:
    """The one sentence everybody should see now: what holds everything first."""
    if installation is not None and place.differences(installation.place):
        return place.HELD
    return vital_signs.read(now=clock.now()).sentence


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
