"""What the shell around every page shows."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import Resolver404, resolve

from vaultadmin import clock, place, secrets
from vaultadmin.models import Installation, Membership, User, Vault
from vaultadmin.site import navigation, vital_signs
from vaultadmin.standing import Standing, standing
from vaultadmin.together import answer, rows_of
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
    question = _with_tasks(member) if member else _alone(secrets.key_ids())
    found = answer(rows_of(question))
    if not found:
        # The very first page of all makes it.
        Installation.current()
        found = answer(rows_of(question))
    return found[0]


def _with_tasks(member: Membership) -> Standing:
    shape, values = worklist.waiting_for(member)
    return _and_tasks(secrets.key_ids(), *shape, **values)


@standing
def _and_tasks(key_ids: tuple[str, ...], kinds: tuple[str, ...], own: bool, **values: Any) -> QuerySet[Installation]:
    parts = vital_signs.parts(key_ids) | worklist.waiting_parts(kinds, own, **values)
    return Installation.objects.filter(singleton=True).annotate(**parts)


@standing
def _alone(key_ids: tuple[str, ...]) -> QuerySet[Installation]:
    return Installation.objects.filter(singleton=True).annotate(**vital_signs.parts(key_ids))


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
