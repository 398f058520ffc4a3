"""A site's rhythm: what is expected of it, its pauses, and whether it is open."""

from __future__ import annotations

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from ecoa.forms.study import PauseForm, RhythmForm
from ecoa.models import Site, SiteRhythm
from ecoa.selectors import study as study_rows
from ecoa.services import rhythms, seeing
from ecoa.services.refusals import Refused
from ecoa.silence import looking
from ecoa.views import dialogs
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission

_methods = require_http_methods(["GET", "POST"])
_PAUSES = 20
_EVENTS = 20


@_methods
@requires(Permission.ECOA_STUDY_TEAM)
def detail(request: MemberRequest, vault_id: int, site_id: int) -> HttpResponse:
    """The rhythm as a form, with what it comes to, the pauses and the history."""
    site = find(request, site_id)
    rhythm: SiteRhythm | None = getattr(site, "rhythm", None)
    form = RhythmForm(dialogs.posted(request), initial=RhythmForm.initial_of(rhythm))
    if request.method == "POST" and form.is_valid() and _declare(request, site, form):
        return redirect("ecoa:rhythm", vault_id, site.pk)
    now = clock.now()
    context = {
        "site": site,
        "rhythm": rhythm,
        "form": form,
        "expected": looking.expected(rhythm, now=now) if rhythm else None,
        "alarm": site.alarms.filter(closed_at__isnull=True).first(),
        "pauses": [(row, row.ends_at is None or row.ends_at > now) for row in list(site.pauses.all())[:_PAUSES]],
        "events": list(seeing.deeds(site)[:_EVENTS]),
        "page_title": f"Rhythm of site {site.number}",
    }
    return render(request, "ecoa/study/rhythm.html", context, status=422 if form.errors else 200)


@_methods
@requires(Permission.ECOA_STUDY_TEAM)
def withdraw(request: MemberRequest, vault_id: int, site_id: int) -> HttpResponse:
    """*Expect nothing*."""
    text = "No alarm comes for this site any more, and an open one ends. Its pauses and alarms so far are kept."
    return _confirmed(request, site_id, "Expect nothing of this site", text, "Expect nothing", rhythms.withdraw)


@_methods
@requires(Permission.ECOA_STUDY_TEAM)
def close(request: MemberRequest, vault_id: int, site_id: int) -> HttpResponse:
    """*Close site*."""
    text = (
        "From today on nothing is expected of this site and an open alarm ends. Its participants stay as they are, "
        "and it can be opened again."
    )
    return _confirmed(request, site_id, "Close this site", text, "Close site", rhythms.close)


@_methods
@requires(Permission.ECOA_STUDY_TEAM)
def reopen(request: MemberRequest, vault_id: int, site_id: int) -> HttpResponse:
    """*Open site again*."""
    text = "Its declared rhythm applies again, with the clock starting now."
    return _confirmed(request, site_id, "Open this site again", text, "Open site", rhythms.reopen)


@_methods
@requires(Permission.ECOA_STUDY_TEAM)
def pause(request: MemberRequest, vault_id: int, site_id: int) -> HttpResponse:
    """*Add pause*."""
    site = find(request, site_id)
    form = PauseForm(dialogs.posted(request))
    back = reverse("ecoa:rhythm", args=[vault_id, site.pk])
    zone = rhythms.zone_of(site)
    says = dialogs.Says(
        f"Pause site {site.number}",
        f"On these days ({zone.key}) nothing is expected of the site. Afterwards its clock starts anew.",
        "Add pause",
        back,
    )

    def act() -> str:
        start, end = form.span(zone)
        reason = form.cleaned_data["reason"]
        try:
            rhythms.pause(site=site, starts_at=start, ends_at=end, reason=reason, by=request.member, now=clock.now())
        except Refused as refusal:
            raise Refused(str(refusal), field="last_day") from refusal
        return back

    return dialogs.run(request, form, says, act)


@_methods
@requires(Permission.ECOA_STUDY_TEAM)
def end_pause(request: MemberRequest, vault_id: int, site_id: int, pause_id: int) -> HttpResponse:
    """*End pause*."""
    site = find(request, site_id)
    row = site.pauses.filter(pk=pause_id).first()
    if row is None:
        raise Http404
    back = reverse("ecoa:rhythm", args=[vault_id, site.pk])
    text = "It ends now and the site's clock starts anew. A pause that has not begun is taken back."
    says = dialogs.Says("End this pause", text, "End pause", back)

    def act() -> str:
        rhythms.end_pause(row, by=request.member, now=clock.now())
        return back

    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)


def find(request: MemberRequest, site_id: int) -> Site:
    """A site this member sees, else 404."""
    found = study_rows.site(request.member, site_id)
    if found is None:
        raise Http404
    return found


def _declare(request: MemberRequest, site: Site, form: forms.Form) -> bool:
    try:
        number = rhythms.declare(site=site, by=request.member, now=clock.now(), **form.cleaned_data)
    except Refused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return False
    messages.success(request, f"The rhythm of {number} sites was declared." if number > 1 else "Declared.")
    return True


def _confirmed(
    request: MemberRequest, site_id: int, title: str, text: str, button: str, do: Callable[..., None]
) -> HttpResponse:
    site = find(request, site_id)
    back = reverse("ecoa:rhythm", args=[site.vault_id, site.pk])

    def act() -> str:
        do(site=site, by=request.member, now=clock.now())
        return back

    says = dialogs.Says(title, text, button, back)
    return dialogs.run(request, ConfirmForm(dialogs.posted(request)), says, act)
