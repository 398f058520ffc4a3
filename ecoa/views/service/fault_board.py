"""The fault board: what goes wrong on purpose, where, how often, and how often it did."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.service import faults, selectors
from ecoa.service.faults import FaultCall
from ecoa.service.forms import FaultForm, PlayForm
from ecoa.service.models import ServiceFault
from ecoa.views import dialogs
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import live_by
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page

_methods = require_http_methods(["GET", "POST"])
_manages = requires(Permission.ECOA_MANAGE)


@require_safe
@_manages
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Every fault with its counters, which the page keeps fetching; the scenarios above."""
    page = key_page(ServiceFault.objects.all(), request, column="id", size=PAGE)
    now = clock.now()
    rows = [(fault, faults.state_of(fault, now=now)) for fault in page["rows"]]
    counters = selectors.counters()
    shown = [(fault.pk, fault.remaining, fault.drawn, fault.injected, state) for fault, state in rows]
    context = {
        **page,
        "rows": rows,
        "counters": counters,
        "calls": [call.label for call in FaultCall],
        "scenarios": list(faults.SCENARIOS.values()),
        "impossible": faults.why_impossible(),
        "poll": "4s",
        "live_also": "#fault-counters",
        "page_title": "Fault board",
    }
    stamp = f"{shown}{counters}{faults.why_impossible()}"
    return live_by(request, stamp, lambda: render(request, "ecoa/fault_board.html", context))


@_methods
@_manages
def add(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Arm a fault*."""
    form = FaultForm(dialogs.posted(request))
    says = dialogs.Says(
        "Arm a fault",
        "Calls of every system that match go wrong from now on, in this whole installation. They stop when you switch "
        "the fault off; what a call did until then stays done.",
        "Arm",
        _board(vault_id),
    )
    return _run(request, form, says, lambda: faults.add_once(form.save(commit=False), by=request.member))


@_methods
@_manages
def play(request: MemberRequest, vault_id: int, scenario: str) -> HttpResponse:
    """*Play a scenario*."""
    chosen = faults.SCENARIOS.get(scenario)
    if chosen is None:
        raise Http404
    form = PlayForm(dialogs.posted(request))
    says = dialogs.Says(
        f"Play “{chosen.label}”",
        f"{chosen.text} This concerns every system that calls this installation, until you switch it off.",
        "Play",
        _board(vault_id),
    )
    return _run(request, form, says, lambda: faults.play(scenario, seed=form.cleaned_data["seed"], by=request.member))


@_methods
@_manages
def off(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Switch everything off*. The one act that is possible everywhere."""
    says = dialogs.Says(
        "Switch everything off",
        "No call goes wrong on purpose from the next one on. The faults stay in the list, switched off.",
        "Switch off",
        _board(vault_id),
    )

    def act() -> str:
        faults.clear(by=request.member)
        return _board(vault_id)

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


@_methods
@_manages
def switch(request: MemberRequest, vault_id: int, fault_id: int) -> HttpResponse:
    """*Switch off* or *Switch on*."""
    fault = _find(fault_id)
    says = dialogs.Says(
        "Switch fault off" if fault.is_on else "Switch fault on",
        "It meets no call while it is off, and goes on in its sequence when it is on again.",
        "Switch off" if fault.is_on else "Switch on",
        _board(vault_id),
    )
    form = ConfirmForm(dialogs.posted(request))
    return _run(request, form, says, lambda: faults.switch(fault, on=not fault.is_on, by=request.member))


@_methods
@_manages
def rewind(request: MemberRequest, vault_id: int, fault_id: int) -> HttpResponse:
    """*Begin anew*."""
    fault = _find(fault_id)
    says = dialogs.Says(
        "Begin the sequence anew",
        "The next call is the first of the seed again, and the counters of this fault start at nought.",
        "Begin anew",
        _board(vault_id),
    )
    form = ConfirmForm(dialogs.posted(request))
    return _run(request, form, says, lambda: faults.rewind(fault, by=request.member))


@_methods
@_manages
def remove(request: MemberRequest, vault_id: int, fault_id: int) -> HttpResponse:
    """*Remove fault*."""
    fault = _find(fault_id)
    says = dialogs.Says(
        "Remove fault",
        "It meets no further call and leaves this list with its counters. What it did stays in the audit trail.",
        "Remove",
        _board(vault_id),
        danger=True,
    )
    form = ConfirmForm(dialogs.posted(request))
    return _run(request, form, says, lambda: faults.disarm(fault, by=request.member))


def _run(request: MemberRequest, form: forms.BaseForm, says: dialogs.Says, act: Callable[[], object]) -> HttpResponse:
    """The dialog, or the sentence why this installation has no faults."""
    impossible = faults.why_impossible()
    if impossible:
        return dialogs.draw(request, form, says, impossible=impossible)

    def act_and_return() -> str:
        act()
        return _board(request.member.vault_id)

    return dialogs.run(request, form, says, act_and_return)


def _find(fault_id: int) -> ServiceFault:
    found = ServiceFault.objects.filter(pk=fault_id).first()
    if found is None:
        raise Http404
    return found


def _board(vault_id: int) -> str:
    return reverse("ecoa:fault-board", args=[vault_id])
