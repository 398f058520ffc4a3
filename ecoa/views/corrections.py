"""The correction of a participant ID: asked for by a site, signed by the study team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from ecoa.forms.corrections import CorrectionForm, VerdictForm
from ecoa.models import Correction, Participant
from ecoa.selectors import corrections as selectors
from ecoa.services import correcting, seeing
from ecoa.services.refusals import Refused
from ecoa.views import dialogs
from ecoa.views.participants import find
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import frame, go
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission
from vaultadmin.signing import credentials
from vaultadmin.signing.services import version_of

_methods = require_http_methods(["GET", "POST"])
_LOOK_AGAIN = "This changed since you opened it. Look at it again, then decide."


@dataclass(frozen=True)
class _Look:
    """What is on the screen, its hash, and what this person is asked for to sign exactly this."""

    correction: Correction
    place: Membership | None
    version: str
    needs: credentials.Needs

    @property
    def act(self) -> str:
        return _act(self.correction, self.version)


@_methods
@requires(Permission.ECOA_VIEW_SITES)
def ask(request: MemberRequest, vault_id: int, participant_id: int) -> HttpResponse:
    """*Ask for a correction*."""
    participant = find(request, participant_id)
    form = CorrectionForm(dialogs.posted(request))
    says = dialogs.Says(
        f"Correct ID {participant.participant_id}",
        "The study team looks at the new ID and signs it before anything changes. You can take it back until then.",
        "Ask the study team",
        _page_of(participant),
    )

    def act() -> str:
        correcting.ask(participant=participant, by=request.member, now=clock.now(), **form.cleaned_data)
        return _page_of(participant)

    done = "The study team has your request. You see here how it goes on."
    return dialogs.run(request, form, says, act, done=done)


@_methods
@requires(Permission.ECOA_VIEW_SITES)
def withdraw(request: MemberRequest, vault_id: int, correction_id: int) -> HttpResponse:
    """*Withdraw*."""
    correction = _correction(request, correction_id)
    back = _page_of(correction.participant)
    says = dialogs.Says(
        "Withdraw the correction",
        f"The study team is no longer asked for {correction.new_value}. You can ask again at any time.",
        "Withdraw",
        back,
    )

    def act() -> str:
        correcting.withdraw(correction, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act, done="Withdrawn.")


@_methods
@requires(Permission.ECOA_STUDY_TEAM)
def complete(request: MemberRequest, vault_id: int, correction_id: int) -> HttpResponse:
    """*Complete task*. Credentials are asked for in the dialog itself, for this one act (security.md G8, L4)."""
    correction = _correction(request, correction_id)
    if refusal := correcting.refusal_for(correction, request.member):
        return _refused(request, correction, refusal)
    look = _look(request, correction)
    if request.method != "POST":
        return _show(request, look, _form(look, initial=look.needs.draft or {"verdict": _asked_verdict(request)}))
    form = _form(look, request.POST)
    if form.data.get("version") != look.version:
        return _look_again(request, correction_id, form)
    if not form.is_valid():
        return _show(request, look, form, status=422)
    try:
        if way := form.cleaned_data["sign_with"]:
            return _leave(request, look, form, way)
        return _decide(request, look, form)
    except credentials.Wrong as wrong:
        form.add_wrong(wrong)
        return _show(request, look, form, status=429 if wrong.locked else 422)
    except correcting.Changed:
        return _look_again(request, correction_id, form)
    except Refused as refused:
        form.add_error(None, str(refused))
        return _show(request, look, form, status=422)


def _decide(request: MemberRequest, look: _Look, form: VerdictForm) -> HttpResponse:
    data = form.cleaned_data
    proof = credentials.prove(
        request, request.member, act=look.act, password=data.get("password", ""), code=data.get("code", "")
    )
    correcting.complete(
        look.correction,
        verdict=data["verdict"],
        comment=data["comment"],
        seen_version=look.version,
        proof=proof,
        by=request.member,
        now=clock.now(),
    )
    return go(request, _page_of(look.correction.participant))


def _leave(request: MemberRequest, look: _Look, form: VerdictForm, way: str) -> HttpResponse:
    """Go to the page where the passkey is shown, and come back to this dialog as it was filled in."""
    back = reverse("ecoa:correction-complete", args=[look.correction.vault_id, look.correction.pk])
    draft = {name: form.cleaned_data[name] for name in ("verdict", "comment")}
    return go(request, credentials.leave(request, request.member, act=look.act, way=way, back=back, draft=draft))


def _look_again(request: MemberRequest, correction_id: int, form: VerdictForm) -> HttpResponse:
    """409: the dialog as it is now; nothing but the comment is kept."""
    correction = _correction(request, correction_id)
    if refusal := correcting.refusal_for(correction, request.member):
        return _refused(request, correction, refusal)
    look = _look(request, correction)
    again = _form(look, initial={"comment": form.data.get("comment", "")[:2000]})
    return _show(request, look, again, status=409, sentence=_LOOK_AGAIN)


def _look(request: MemberRequest, correction: Correction) -> _Look:
    place = correcting.place_of(correction, request.member, now=clock.now())
    version = version_of(correcting.statement_of(correction, place))
    return _Look(correction, place, version, credentials.needs(request, request.member, act=_act(correction, version)))


def _form(look: _Look, data: Any = None, initial: dict[str, Any] | None = None) -> VerdictForm:
    return VerdictForm(data, initial=(initial or {}) | {"version": look.version}, needs=look.needs)


def _show(
    request: MemberRequest, look: _Look, form: VerdictForm, *, status: int = 200, sentence: str = ""
) -> HttpResponse:
    context = {"form": form, "needs": look.needs, "place": look.place, "sentence": sentence}
    return _render(request, look.correction, context, status=status)


def _refused(request: MemberRequest, correction: Correction, refusal: str) -> HttpResponse:
    return _render(request, correction, {"form": None, "refusal": refusal})


def _render(
    request: MemberRequest, correction: Correction, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    participant = correction.participant
    given = {
        "correction": correction,
        "participant": participant,
        "waits_for": selectors.in_the_way(correction),
        "frame": frame(request),
        "cancel_url": _page_of(participant),
    }
    return render(request, "ecoa/correction_verdict.html", given | context, status=status)


def _asked_verdict(request: MemberRequest) -> str:
    """The verdict the inbox's key asked for."""
    asked = request.GET.get("verdict", "")
    return asked if asked in (correcting.APPROVE, correcting.REJECT) else ""


def _act(correction: Correction, version: str) -> str:
    return f"{correction._meta.label_lower}:{correction.pk}:{version}"


def _page_of(participant: Participant) -> str:
    return reverse("ecoa:participant", args=[participant.vault_id, participant.pk])


def _correction(request: MemberRequest, correction_id: int) -> Correction:
    found = selectors.visible(request.member).filter(pk=correction_id).first()
    if found is None:
        raise Http404
    seeing.note(found.participant, what="participant", by=request.member, now=clock.now())
    return found
