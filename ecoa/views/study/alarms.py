"""Silence alarms: which sites were not heard from, why something was expected, and until when it may wait."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from ecoa.forms.study import SnoozeForm
from ecoa.selectors import study as study_rows
from ecoa.services import rhythms
from ecoa.views import dialogs
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE, key_page, replaced_query


@require_safe
@requires(Permission.ECOA_STUDY_TEAM)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Open alarms; with `?all=1` those that are over too."""
    everything = request.GET.get("all") == "1"
    rows = study_rows.alarms(request.member, with_ended=everything)
    page = key_page(rows, request, column="id", size=PAGE)
    context = {
        **page,
        "everything": everything,
        "other_url": replaced_query(request, all="" if everything else "1", before="", after=""),
        "tab": "alarms",
        "page_title": "Silence alarms",
    }
    return render(request, "ecoa/study/alarms.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.ECOA_STUDY_TEAM)
def snooze(request: MemberRequest, vault_id: int, alarm_id: int) -> HttpResponse:
    """*Snooze*."""
    alarm = study_rows.alarms(request.member, with_ended=True).filter(pk=alarm_id).first()
    if alarm is None:
        raise Http404
    form = SnoozeForm(dialogs.posted(request))
    back = reverse("ecoa:alarms", args=[vault_id])
    says = dialogs.Says(
        f"Snooze the alarm of site {alarm.site.number}",
        "The alarm stays open but asks nobody for attention. If the site is still silent when the time is over, "
        "the study team is told again.",
        "Snooze",
        back,
    )

    def act() -> str:
        now = clock.now()
        until = now + timedelta(days=form.cleaned_data["days"])
        rhythms.snooze(alarm, until=until, note=form.cleaned_data["note"], by=request.member, now=now)
        return back

    return dialogs.run(request, form, says, act)
