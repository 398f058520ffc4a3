"""The page *Place of the installation*: an operator says whether it is the original or a copy, and signs that."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import go
from vaultadmin.forms.place import PlaceForm
from vaultadmin.permissions import Permission
from vaultadmin.services import place
from vaultadmin.services.place import Decision
from vaultadmin.signing import credentials
from vaultadmin.signing.services import version_of

_TOLD = {
    Decision.MOVED: "Recorded: the original lives here now. What was held back is sent.",
    Decision.SEPARATE: "This is an installation of its own now. Links to mend are on the records of its connections.",
}


@dataclass(frozen=True)
class _Look:
    """What is on the screen, its hash, and what this person is asked for to sign a decision about exactly this."""

    statement: dict[str, Any]
    version: str
    needs: credentials.Needs

    @property
    def act(self) -> str:
        return f"place:{self.version}"


@require_http_methods(["GET", "POST"])
@requires(Permission.ADMIN_STATUS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """What was recorded, what is found, and the decision. Credentials are asked for on the page itself (L4)."""
    look = _look(request)
    if refusal := place.decide_refusal(request.member):
        return _show(request, look, None, refusal=refusal, status=409 if request.method == "POST" else 200)
    if request.method != "POST":
        return _show(request, look, _form(look, initial=look.needs.draft))
    form = _form(look, request.POST)
    if not form.is_valid():
        return _show(request, look, form, status=422)
    if way := form.cleaned_data["sign_with"]:
        return _leave(request, look, form, way)
    return _decide(request, look, form)


def _decide(request: MemberRequest, look: _Look, form: PlaceForm) -> HttpResponse:
    data = form.cleaned_data
    decision = Decision(data["decision"])
    try:
        typed = {name: data.get(name, "") for name in ("password", "code")}
        proof = credentials.prove(request, request.member, act=look.act, **typed)
        place.decide(
            decision=decision,
            reason=data["reason"],
            seen_version=data["version"],
            proof=proof,
            by=request.member,
            now=clock.now(),
        )
    except credentials.Wrong as wrong:
        form.add_wrong(wrong)
        return _show(request, look, form, status=429 if wrong.locked else 422)
    except place.PlaceRefused as refused:
        form.add_error(None, str(refused))
        return _show(request, look, form, status=409)
    messages.success(request, _TOLD[decision])
    return go(request, reverse("vault:status", args=[request.member.vault_id]))


def _look(request: MemberRequest) -> _Look:
    statement = place.statement()
    version = version_of(statement)
    return _Look(statement, version, credentials.needs(request, request.member, act=f"place:{version}"))


def _form(look: _Look, data: Any = None, initial: dict[str, Any] | None = None) -> PlaceForm:
    return PlaceForm(data, initial=(initial or {}) | {"version": look.version}, needs=look.needs)


def _leave(request: MemberRequest, look: _Look, form: PlaceForm, way: str) -> HttpResponse:
    draft = {name: form.cleaned_data[name] for name in ("decision", "reason")}
    back = reverse("vault:place", args=[request.member.vault_id])
    try:
        url = credentials.leave(request, request.member, act=look.act, way=way, back=back, draft=draft)
    except credentials.Wrong as wrong:
        form.add_wrong(wrong)
        return _show(request, look, form, status=422)
    return go(request, url)


def _show(
    request: MemberRequest, look: _Look, form: PlaceForm | None, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "statement": look.statement,
        "form": form,
        "needs": look.needs,
        "refusal": refusal,
        "page_title": "Place of the installation",
    }
    return render(request, "site/place.html", context, status=status)
