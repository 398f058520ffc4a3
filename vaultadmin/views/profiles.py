"""Security profiles: list, one profile, create, copy, edit, delete."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from vaultadmin import audit
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame, go
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.forms.profiles import ProfileForm, SwitchForm, groups
from vaultadmin.models import SecurityProfile
from vaultadmin.permissions import Permission
from vaultadmin.selectors import people as selectors
from vaultadmin.services import authority, profiles
from vaultadmin.standard_profiles import PURPOSES

_SHOWN_EVENTS = 20
_SHOWN_HOLDERS = 50


@require_safe
@requires(Permission.ADMIN_SECURITY_PROFILES)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """All profiles, ours first."""
    rows = list(selectors.profiles(request.member))
    context = {
        "rows": [(row, PURPOSES.get(row.api_name, "") if row.is_standard else "") for row in rows],
        "refresh_on": "profiles:changed",
        "page_title": "Security profiles",
    }
    return render(request, "people/profiles.html", context)


@require_safe
@requires(Permission.ADMIN_SECURITY_PROFILES)
def detail(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """What one profile allows, who holds it, what changed."""
    profile = _profile_or_404(request, api_name)
    context = {
        "profile": profile,
        "purpose": PURPOSES.get(profile.api_name, "") if profile.is_standard else "",
        "groups": groups(profile.permissions),
        "holders": selectors.members(request.member, profile=api_name)[:_SHOWN_HOLDERS],
        "delete_refusal": profiles.delete_refusal(profile),
        "actions": _actions(profile),
        "events": audit.history(profile)[:_SHOWN_EVENTS],
        "page_title": profile.name,
    }
    return render(request, "people/profile.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ADMIN_SECURITY_PROFILES)
@fresh_credentials
def create(request: MemberRequest, vault_id: int) -> HttpResponse:
    """A new profile, empty or a copy (`?copy=<api name>`)."""
    initial: dict[str, Any] = {}
    if request.GET.get("copy"):
        source = _profile_or_404(request, request.GET["copy"])
        initial = {
            "name": f"Copy of {source.name}"[:128],
            "permissions": source.permissions,
            "requires_second_factor": source.requires_second_factor,
        }
    form = ProfileForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            profile = profiles.create(**form.cleaned_data, by=request.member)
        except profiles.ProfileRefused as error:
            form.add_error(error.field or None, str(error))
        else:
            messages.success(request, f"{profile} was created.")
            return redirect("vault:profile", vault_id, profile.api_name)
    return _form_page(request, form, "Create security profile", reverse("vault:profiles", args=[vault_id]))


@require_http_methods(["GET", "POST"])
@requires(Permission.ADMIN_SECURITY_PROFILES)
@fresh_credentials
def edit(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """Change a profile; of a standard one only the switch."""
    profile = _profile_or_404(request, api_name)
    stored: dict[str, Any] = {
        "name": profile.name,
        "permissions": profile.permissions,
        "requires_second_factor": profile.requires_second_factor,
    }
    kind = SwitchForm if profile.is_standard else ProfileForm
    form = kind(request.POST if request.method == "POST" else None, initial=stored)
    if request.method == "POST" and form.is_valid():
        try:
            profiles.change(profile, **(stored | form.cleaned_data), by=request.member)
        except authority.AuthorityRefused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{profile} was changed. It counts from everybody’s next click.")
            return redirect("vault:profile", vault_id, api_name)
    return _form_page(request, form, f"Edit {profile}", _url(profile))


@require_http_methods(["GET", "POST"])
@requires(Permission.ADMIN_SECURITY_PROFILES)
@fresh_credentials
def delete(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """The dialog *Delete*; refused while somebody holds the profile."""
    profile = _profile_or_404(request, api_name)
    refusal = profiles.delete_refusal(profile)
    if request.method == "POST" and not refusal:
        try:
            profiles.delete(profile, by=request.member)
        except profiles.ProfileRefused as error:
            refusal = str(error)
        else:
            messages.success(request, f"{profile.name} was deleted.")
            return go(request, reverse("vault:profiles", args=[vault_id]))
    context = {
        "profile": profile,
        "form": ConfirmForm(),
        "refusal": refusal,
        "danger": True,
        "frame": frame(request),
        "cancel_url": _url(profile),
    }
    status = 409 if refusal and request.method == "POST" else 200
    return render(request, "people/profile_delete.html", context, status=status)


def _form_page(request: MemberRequest, form: Any, title: str, cancel_url: str) -> HttpResponse:
    context = {
        "form": form,
        "groups": form.groups() if isinstance(form, ProfileForm) else [],
        "page_title": title,
        "cancel_url": cancel_url,
    }
    return render(request, "people/profile_form.html", context, status=422 if form.errors else 200)


def _profile_or_404(request: MemberRequest, api_name: str) -> SecurityProfile:
    profile = selectors.profiles(request.member).filter(api_name=api_name.replace("\x00", "")).first()
    if profile is None:
        raise Http404
    return profile


def _actions(profile: SecurityProfile) -> list[dict[str, Any]]:
    copy = f"{reverse('vault:profile-create', args=[profile.vault_id])}?copy={profile.api_name}"
    return [
        {"label": "Copy", "url": copy, "icon": "copy"},
        {
            "label": "Delete",
            "url": reverse("vault:profile-delete", args=[profile.vault_id, profile.api_name]),
            "icon": "trash",
            "dialog": True,
            "danger": True,
            "disabled_reason": profiles.delete_refusal(profile),
        },
    ]


def _url(profile: SecurityProfile) -> str:
    return reverse("vault:profile", args=[profile.vault_id, profile.api_name])
