"""*Decide*: the plan first, then a reason and a signature, for one discrepancy or many; and the decision's own page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.forms.drift import DecideForm
from ecoa.models import Decision, DecisionState, Discrepancy, DiscrepancyState, Remedy
from ecoa.selectors import drift as drift_rows
from ecoa.services import deciding, remedies, seeing
from ecoa.services.refusals import Refused
from ecoa.views import live
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import frame, go
from vaultadmin.permissions import Permission
from vaultadmin.query import as_key
from vaultadmin.signing import credentials

_LOOK_AGAIN = "This changed since you opened it. Look at what is there now, then decide again."


@dataclass(frozen=True)
class _Look:
    """What is on the screen: the discrepancies, what each remedy would do, and what is asked for to sign this."""

    rows: list[Discrepancy]
    plans: list[remedies.RemedyPlan]
    version: str
    needs: credentials.Needs

    @property
    def act(self) -> str:
        return f"ecoa.decision:{self.version}"


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_STUDY_TEAM)
def decide(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Decide*. The password is asked for in the dialog itself, for this one act."""
    look = _look(request)
    if not look.rows:
        messages.warning(request, "Tick at least one discrepancy, then decide.")
        return go(request, reverse("ecoa:discrepancies", args=[vault_id]))
    if request.method != "POST":
        return _show(request, look, _form(look))
    form = _form(look, request.POST)
    if form.data.get("version") != look.version:
        return _show(request, look, _form(look), status=409, sentence=_LOOK_AGAIN)
    if not form.is_valid():
        return _show(request, look, form, status=422)
    if way := form.cleaned_data["sign_with"]:
        return _leave(request, look, form, way)
    return _sign(request, look, form)


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def detail(request: MemberRequest, vault_id: int, decision_id: int) -> HttpResponse:
    """One decision: who signed what and why, how far it is, and what was left out."""
    decision = drift_rows.decisions(request.member).filter(pk=decision_id).first()
    if decision is None:
        raise Http404
    rows = list(drift_rows.discrepancies(request.member).filter(decision=decision).order_by("-pk")[:_SHOWN])
    seeing.note(decision, what="decision", by=request.member, now=clock.now())
    unproven = any(row.state != DiscrepancyState.CLEARED for row in rows)
    goes_on = decision.state == DecisionState.RUNNING or unproven
    context = {"decision": decision, "rows": rows, "goes_on": goes_on, "page_title": str(decision)}
    stamp = f"{decision.state}-{decision.cursor}-{[(row.pk, row.stamp) for row in rows]}"
    return live.answer(request, stamp, lambda: render(request, "ecoa/drift/decision.html", context))


_SHOWN = 100


def _look(request: MemberRequest) -> _Look:
    rows = _asked_for(request)
    seeing.note(request.member.vault, what="discrepancies", by=request.member, now=clock.now())
    version = remedies.version(rows)
    needs = credentials.needs(request, request.member, act=f"ecoa.decision:{version}")
    return _Look(rows, [remedies.plan(rows, remedy) for remedy in Remedy], version, needs)


def _asked_for(request: MemberRequest) -> list[Discrepancy]:
    """The ticked discrepancies, or all that fit the filters; at most as many as can be decided about at once."""
    rows = drift_rows.discrepancies(request.member)
    if request.GET.get("all"):
        rows = drift_rows.filtered(rows, drift_rows.asked(request.GET.dict()))
    else:
        ids = [key for key in map(as_key, request.GET.getlist("id")) if key is not None]
        rows = rows.filter(pk__in=ids[: deciding.MOST])
    return list(rows.order_by("pk")[: deciding.MOST])


def _form(look: _Look, data: Any = None) -> DecideForm:
    initial = look.needs.draft | {"version": look.version}
    return DecideForm(data, initial=initial, needs=look.needs, plans=look.plans)


def _show(
    request: MemberRequest, look: _Look, form: DecideForm, *, status: int = 200, sentence: str = ""
) -> HttpResponse:
    context = {
        "form": form,
        "needs": look.needs,
        "rows": look.rows[:10],
        "more": max(len(look.rows) - 10, 0),
        "total": len(look.rows),
        "plans": look.plans,
        "as_a_job": len(look.rows) > deciding.AT_ONCE,
        "sentence": sentence,
        "frame": frame(request),
        "cancel_url": _back(request, look),
        "page_title": "Decide",
    }
    return render(request, "ecoa/drift/decide.html", context, status=status)


def _back(request: MemberRequest, look: _Look) -> str:
    vault = request.member.vault_id
    if len(look.rows) == 1:
        return reverse("ecoa:conflict", args=[vault, look.rows[0].pk])
    return reverse("ecoa:discrepancies", args=[vault])


def _leave(request: MemberRequest, look: _Look, form: DecideForm, way: str) -> HttpResponse:
    """Go to the page where the passkey is shown, and come back to this dialog as it was filled in."""
    draft: dict[str, Any] = {
        name: form.cleaned_data[name] for name in ("remedy", "reason", "amount") if name in form.cleaned_data
    }
    back = request.get_full_path()
    try:
        url = credentials.leave(request, request.member, act=look.act, way=way, back=back, draft=draft)
    except credentials.Wrong as wrong:
        form.add_wrong(wrong)
        return _show(request, look, form, status=422)
    return go(request, url)


def _sign(request: MemberRequest, look: _Look, form: DecideForm) -> HttpResponse:
    data = form.cleaned_data
    try:
        proof = credentials.prove(
            request, request.member, act=look.act, password=data.get("password", ""), code=data.get("code", "")
        )
        decision: Decision = deciding.decide(
            vault=request.member.vault,
            rows=look.rows,
            remedy=Remedy(data["remedy"]),
            reason=data["reason"],
            seen_version=look.version,
            proof=proof,
            by=request.member,
            now=clock.now(),
        )
    except credentials.Wrong as wrong:
        form.add_wrong(wrong)
        return _show(request, look, form, status=429 if wrong.locked else 422)
    except deciding.Changed:
        again = _look(request)
        return _show(request, again, _form(again), status=409, sentence=_LOOK_AGAIN)
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _show(request, look, form, status=422)
    return go(request, reverse("ecoa:decision", args=[request.member.vault_id, decision.pk]))
