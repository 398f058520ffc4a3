"""Users of a vault: the list, one person, the invitation."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.accounts import lockout
from vaultadmin.answers import frame
from vaultadmin.forms.people import InviteForm
from vaultadmin.models import Membership, SecurityProfile
from vaultadmin.permissions import Permission
from vaultadmin.query import replaced_query
from vaultadmin.selectors import people as selectors
from vaultadmin.services import authority, links, people

_SHOWN_EVENTS = 20


@require_safe
@requires(Permission.ADMIN_USERS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Everybody of this vault by name; search, filters and sort are in the address."""
    asked = {name: request.GET.get(name, "") for name in ("q", "state", "profile", "sort", "after")}
    rows = selectors.members(request.member, search=asked["q"], state=asked["state"], profile=asked["profile"])
    page = selectors.page(rows, after=asked["after"], descending=asked["sort"] == "-name")
    profiles = list(SecurityProfile.objects.filter(vault=vault_id).order_by("name"))
    context = {
        "rows": page.rows,
        "older_url": replaced_query(request, after=page.next_key) if page.next_key else "",
        "older_label": "Next",
        "newer_url": replaced_query(request, after="") if asked["after"] else "",
        "newer_label": "First page",
        "search": {"name": "q", "value": asked["q"], "label": "Name or e-mail address"},
        "has_filters": True,
        "states": selectors.STATES,
        "profiles": profiles,
        "asked": asked,
        "chips": _chips(request, asked, profiles),
        "clear_url": request.path,
        "default_sort": "name",
        "refresh_on": "users:changed",
        "page_title": "Users",
    }
    return render(request, "people/list.html", context)


@require_safe
@requires(Permission.ADMIN_USERS)
def detail(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """One person: who they are, what they may do, how they sign in, what changed."""
    person = member_or_404(request, member_id)
    locked_from = lockout.locked_addresses(person.user)
    context = {
        "person": person,
        "word": selectors.STATES[person.state],
        "locked_from": locked_from,
        "unlock_refusal": authority.account_refusal(request.member, person.user),
        "sessions": selectors.sessions_of(person),
        "actions": _actions(request.member, person, locked=bool(locked_from)),
        "events": audit.history(person)[:_SHOWN_EVENTS],
        "page_title": str(person),
    }
    return render(request, "people/detail.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ADMIN_USERS)
@fresh_credentials
def invite(request: MemberRequest, vault_id: int) -> HttpResponse:
    """The dialog *Invite user*; its answer shows the link, once."""
    form = InviteForm(request.POST if request.method == "POST" else None, member=request.member)
    if request.method == "POST" and form.is_valid():
        try:
            invited = people.invite(**form.cleaned_data, by=request.member, now=clock.now())
        except people.PersonRefused as error:
            form.add_error(error.field or None, str(error))
        except authority.AuthorityRefused as error:
            form.add_error("profile", str(error))
        else:
            return show_link(request, invited.member, invited.link, purpose=links.INVITATION)
    context = {"form": form, "frame": frame(request), "cancel_url": reverse("vault:users", args=[vault_id])}
    return render(request, "people/invite.html", context, status=422 if form.errors else 200)


def show_link(request: MemberRequest, person: Membership, link: str, *, purpose: str) -> HttpResponse:
    """The only sight of a link, with a word on whether it was mailed as well."""
    mailed = bool(link) and links.send(person.user, link, purpose=purpose, vault=person.vault)
    context = {
        "person": person,
        "link": link,
        "mailed": mailed,
        "purpose": purpose,
        "frame": frame(request),
        "hours": int(links.LIFETIME.total_seconds() // 3600),
        "back_url": reverse("vault:user", args=[person.vault_id, person.pk]),
    }
    response = render(request, "people/link.html", context)
    response["HX-Trigger"] = "users:changed"
    return response


def member_or_404(request: MemberRequest, member_id: int) -> Any:
    """A person of this vault, with state and second factor noted; foreign ones look like missing ones."""
    person = selectors.member_of(request.member, member_id)
    if person is None:
        raise Http404
    return person


def _chips(request: MemberRequest, asked: dict[str, str], profiles: list[SecurityProfile]) -> list[dict[str, str]]:
    names = {profile.api_name: profile.name for profile in profiles}
    shown = {
        "q": f"“{asked['q']}”" if asked["q"] else "",
        "state": selectors.STATES.get(asked["state"], ""),
        "profile": names.get(asked["profile"], ""),
    }
    return [
        {"label": label, "url": replaced_query(request, **{name: "", "after": ""})}
        for name, label in shown.items()
        if label
    ]


def _actions(by: Membership, person: Any, *, locked: bool) -> list[dict[str, Any]]:
    """The Actions menu: what is possible, and what is not with the reason."""
    account = authority.account_refusal(by, person.user)
    grant = authority.system_refusal(person.user) or authority.grant_refusal(by, person.profile)
    own = "Use Password in your account menu." if person.user_id == by.user_id else ""
    open_or_close = (
        ("Deactivate", "user-deactivate", "user-x", grant, True)
        if person.is_active
        else ("Reactivate", "user-reactivate", "user-check", grant, False)
    )
    entries = [
        ("Change security profile", "user-profile", "shield-lock", grant, False),
        ("Change printed name", "user-rename", "pencil", account, False),
        ("Reset password", "user-reset-password", "key", own or account, False),
        (
            "Reset second factor",
            "user-reset-second-factor",
            "fingerprint",
            account or ("" if person.has_second_factor else "None is set up."),
            True,
        ),
        ("Sign out everywhere", "user-end-sessions", "logout", account, False),
        ("Unlock", "user-unlock", "lock-open", account if locked else "Not locked.", False),
        open_or_close,
    ]
    return [
        {
            "label": label,
            "url": reverse(f"vault:{route}", args=[person.vault_id, person.pk]),
            "icon": icon,
            "dialog": True,
            "disabled_reason": reason,
            "danger": danger,
        }
        for label, route, icon, reason, danger in entries
    ]
