"""The dialogs of one person's Actions menu: each says what will happen, does it, and goes back to the person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame, go
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.forms.people import ProfileChoiceForm, ReasonForm, RenameForm
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.services import authority, links, people
from vaultadmin.views.people import member_or_404, show_link

_methods = require_http_methods(["GET", "POST"])
_REFUSED = (people.PersonRefused, authority.AuthorityRefused)


@dataclass(frozen=True)
class Dialog:
    """What a dialog says: title, two sentences, the button."""

    title: str
    text: str
    button: str
    danger: bool = False


@_methods
@requires(Permission.ADMIN_USERS)
@fresh_credentials
def change_profile(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Change security profile*."""
    person = member_or_404(request, member_id)
    form = ProfileChoiceForm(
        request.POST if request.method == "POST" else None,
        member=request.member,
        initial={"profile": person.profile_id},
    )
    says = Dialog(
        "Change security profile",
        f"What {person} may do changes with their next click. Open work stays theirs.",
        "Save",
    )
    return _run(
        request,
        person,
        form,
        says,
        lambda: people.change_profile(person, **form.cleaned_data, by=request.member),
        f"{person} now has another security profile.",
    )


@_methods
@requires(Permission.ADMIN_USERS)
def rename(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Change printed name*."""
    person = member_or_404(request, member_id)
    form = RenameForm(request.POST if request.method == "POST" else None, initial={"name": person.user.name})
    says = Dialog(
        "Change printed name", "New approvals and audit rows show the new name; old ones keep the old.", "Save"
    )
    return _run(
        request,
        person,
        form,
        says,
        lambda: people.rename(person, **form.cleaned_data, by=request.member),
        "The printed name was changed.",
    )


@_methods
@requires(Permission.ADMIN_USERS)
@fresh_credentials
def reset_password(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Reset password*: shows the link once."""
    person = member_or_404(request, member_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    says = Dialog(
        "Reset password",
        f"{person} is signed out everywhere and their password stops working now. "
        "You get a link, good once and for 72 hours, by which they choose a new one.",
        "Reset password",
        danger=True,
    )
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            link = people.reset_password(person, by=request.member, now=clock.now())
        except _REFUSED as error:
            refusal = str(error)
        else:
            return show_link(request, person, link, purpose=links.RESET)
    return _show(request, person, form, says, refusal)


@_methods
@requires(Permission.ADMIN_USERS)
@fresh_credentials
def reset_second_factor(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Reset second factor*, for somebody who lost theirs."""
    person = member_or_404(request, member_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    says = Dialog(
        "Reset second factor",
        f"Authenticator apps, passkeys and recovery codes of {person} are removed and they are signed out everywhere. "
        "Make sure it is really them who asked: until they set up a new one, their password alone opens the account.",
        "Reset second factor",
        danger=True,
    )
    return _run(
        request,
        person,
        form,
        says,
        lambda: people.reset_second_factor(person, **form.cleaned_data, by=request.member),
        f"{person} can set up a new second factor.",
    )


@_methods
@requires(Permission.ADMIN_USERS)
def end_sessions(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Sign out everywhere*."""
    person = member_or_404(request, member_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    says = Dialog(
        "Sign out everywhere",
        f"Every browser in which {person} is signed in asks for the password again. API access tokens keep working.",
        "Sign out",
    )
    return _run(
        request,
        person,
        form,
        says,
        lambda: people.end_sessions(person, by=request.member),
        f"{person} was signed out everywhere.",
    )


@_methods
@requires(Permission.ADMIN_USERS)
def unlock(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Unlock*, before the quarter of an hour is over."""
    person = member_or_404(request, member_id)
    form = ConfirmForm(request.POST if request.method == "POST" else None)
    says = Dialog(
        "Unlock", f"{person} can try to sign in again at once. Their failed attempts are forgotten.", "Unlock"
    )
    return _run(
        request, person, form, says, lambda: people.unlock(person, by=request.member), f"{person} can sign in again."
    )


@_methods
@requires(Permission.ADMIN_USERS)
@fresh_credentials
def deactivate(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Deactivate*: closes this vault to the person."""
    person = member_or_404(request, member_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    says = Dialog(
        "Deactivate",
        f"From their next click {person} cannot open this vault, and their API access tokens stop here. "
        "Nothing they did is removed, other vaults are untouched, and you can reactivate them.",
        "Deactivate",
        danger=True,
    )
    return _run(
        request,
        person,
        form,
        says,
        lambda: people.set_active(person, active=False, **form.cleaned_data, by=request.member),
        f"{person} is deactivated.",
    )


@_methods
@requires(Permission.ADMIN_USERS)
@fresh_credentials
def reactivate(request: MemberRequest, vault_id: int, member_id: int) -> HttpResponse:
    """*Reactivate*."""
    person = member_or_404(request, member_id)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    says = Dialog("Reactivate", f"{person} can open this vault again, with the profile {person.profile}.", "Reactivate")
    return _run(
        request,
        person,
        form,
        says,
        lambda: people.set_active(person, active=True, **form.cleaned_data, by=request.member),
        f"{person} is active again.",
    )


def _run(
    request: MemberRequest, person: Membership, form: forms.Form, says: Dialog, act: Callable[[], Any], done: str
) -> HttpResponse:
    refusal = ""
    if request.method == "POST" and form.is_valid():
        try:
            act()
        except _REFUSED as error:
            refusal = str(error)
        else:
            messages.success(request, done)
            return go(request, _back(person))
    return _show(request, person, form, says, refusal)


def _show(request: MemberRequest, person: Membership, form: forms.Form, says: Dialog, refusal: str) -> HttpResponse:
    context = {
        "person": person,
        "form": form,
        "says": says,
        "danger": says.danger,
        "refusal": refusal,
        "frame": frame(request),
        "cancel_url": _back(person),
    }
    status = 409 if refusal else 422 if form.errors else 200
    return render(request, "people/action.html", context, status=status)


def _back(person: Membership) -> str:
    return reverse("vault:user", args=[person.vault_id, person.pk])
