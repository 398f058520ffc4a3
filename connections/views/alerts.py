"""Alerts: what fires and what did, the rules behind, and until when an alert can wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from connections.forms.alerts import AlertRuleForm, SnoozeForm
from connections.models import AlertRule, Connection, Queue
from connections.selectors import alerts as selectors
from connections.services.messages import alerts
from connections.services.messages.queues import VIEWERS
from connections.services.refusals import Refused
from connections.views.common import add_refusal, menu_entry, record_or_404, record_url
from connections.views.dialogs import said, show
from connections.watching.measuring import length
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.forms.dialogs import ConfirmForm
from vaultadmin.permissions import Permission, can, can_any
from vaultadmin.query import PAGE, key_page, replaced_query
from vaultadmin.together import Asking, answer

READERS = (Permission.MESSAGES_OPERATE, Permission.SPARK_QUEUES, Permission.CONNECTION_READ)
EDITORS = (Permission.SPARK_QUEUES, Permission.CONNECTION_EDIT)
SNOOZERS = (Permission.MESSAGES_OPERATE, *EDITORS)
_SHOWN = 20
_SHOWN_RULES = 200
_methods = require_http_methods(["GET", "POST"])


@require_safe
@requires(*READERS)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """What fires; with `?all=1` what did, too."""
    everything = request.GET.get("all") == "1"
    page = key_page(selectors.alerts(request.member, with_ended=everything), request, column="id", size=PAGE)
    page["rows"] = [(row, alerts.may_snooze(request.member, row)) for row in page["rows"]]
    context = {
        **page,
        "everything": everything,
        "may_see_queues": can_any(request.member, VIEWERS),
        "may_see_connections": can(request.member, Permission.CONNECTION_READ),
        "rules": _shown(answer(selectors.rules_of(request.member))[:_SHOWN_RULES]),
        "other_url": replaced_query(request, all="" if everything else "1", before="", after=""),
        "page_title": "Alerts",
    }
    return render(request, "connections/alerts.html", context)


@require_safe
@requires(*READERS)
def detail(request: MemberRequest, vault_id: int, alert_rule_id: int) -> HttpResponse:
    """One rule: what it watches, when it fired, which calls were made."""
    rule = _rule_or_404(request, alert_rule_id)
    context = {
        "rule": rule,
        "limit": limit_of(rule),
        "alerts": selectors.newest(rule, number=_SHOWN),
        "calls": selectors.calls(rule, number=_SHOWN),
        "events": audit.history(rule)[:_SHOWN],
        "actions": _menu(request, rule),
        "place_url": place_url(rule),
        "may_snooze": can(request.member, Permission.MESSAGES_OPERATE)
        or can(request.member, alerts.needed(rule.queue)),
        "page_title": str(rule),
    }
    return render(request, "connections/alert_rule.html", context)


@_methods
@requires(Permission.CONNECTION_EDIT)
def add_to_connection(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Add alert rule* on a connection."""
    connection = record_or_404(request, api_name)
    return _add(request, f"{record_url(connection)}#alerts", connection=connection)


@_methods
@requires(Permission.SPARK_QUEUES)
def add_to_queue(request: MemberRequest, vault_id: int, queue_name: str) -> HttpResponse:
    """*Add alert rule* on a queue."""
    queue = Queue.objects.visible_to(request.member).filter(name=queue_name).first()
    if queue is None:
        raise Http404
    return _add(request, f"{reverse('connections:queue', args=[vault_id, queue.name])}#alerts", queue=queue)


@_methods
@requires(*EDITORS)
def edit(request: MemberRequest, vault_id: int, alert_rule_id: int) -> HttpResponse:
    """*Edit* a rule."""
    rule = _rule_or_404(request, alert_rule_id)
    back = reverse("connections:alert-rule", args=[vault_id, rule.pk])
    form = AlertRuleForm(request.POST if request.method == "POST" else None, rule=rule)
    refusal = _lacking(request, rule)
    if form.is_valid() and not refusal:
        seen = form.cleaned_data["seen"]
        try:
            alerts.edit(rule=rule, wanted=form.wanted(), by=request.member, now=clock.now(), seen=seen)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "The alert rule was saved.", fallback=back)
    return show(request, title="Edit alert rule", cancel_url=back, form=form, refusal=refusal)


@_methods
@requires(*EDITORS)
def delete(request: MemberRequest, vault_id: int, alert_rule_id: int) -> HttpResponse:
    """*Delete* a rule."""
    rule = _rule_or_404(request, alert_rule_id)
    refusal, back = _lacking(request, rule), reverse("connections:alerts", args=[vault_id])
    if request.method == "POST" and not refusal:
        try:
            alerts.delete(rule=rule, by=request.member)
        except Refused as error:
            refusal = str(error)
        else:
            return said(request, "The alert rule was deleted.", fallback=back)
    return show(
        request,
        title="Delete alert rule",
        cancel_url=reverse("connections:alert-rule", args=[vault_id, rule.pk]),
        sentences=(f"{rule} is not watched any more, and its alerts go with the rule.", "The audit trail keeps them."),
        form=ConfirmForm(),
        refusal=refusal,
        submit="Delete",
        danger=True,
    )


@_methods
@requires(*SNOOZERS)
def snooze(request: MemberRequest, vault_id: int, alert_id: int) -> HttpResponse:
    """*Snooze* an alert."""
    alert = selectors.find(request.member, alert_id)
    if alert is None:
        raise Http404
    back = reverse("connections:alerts", args=[vault_id])
    refusal = "" if alerts.may_snooze(request.member, alert) else _needs(alerts.needed(alert.rule.queue))
    refusal = refusal or ("This alert is over." if alert.closed_at else "")
    form = SnoozeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not refusal:
        now, hours = clock.now(), form.cleaned_data["hours"]
        until, note = now + timedelta(hours=hours), form.cleaned_data["note"]
        try:
            alerts.snooze(alert=alert, until=until, note=note, by=request.member, now=now)
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "The alert is snoozed.", fallback=back)
    sentence = "It stays open but asks for nobody's attention. If it still fires then, it is told of again."
    return show(
        request,
        title="Snooze alert",
        cancel_url=back,
        sentences=(str(alert.rule), sentence),
        form=form,
        refusal=refusal,
        submit="Snooze",
    )


def about_connection(request: MemberRequest, connection: Connection) -> Asking[dict[str, Any]]:
    """For `connections/_alerts.html` on a connection's page."""
    rows = yield from selectors.rules_of(request.member, connection=connection)
    url = record_url(connection, "alert-add")
    return _about(request, rows, url, Permission.CONNECTION_EDIT)


def about_queue(request: MemberRequest, queue: Queue) -> Asking[dict[str, Any]]:
    """For `connections/_alerts.html` on a queue's page."""
    rows = yield from selectors.rules_of(request.member, queue=queue)
    url = reverse("connections:alert-add-queue", args=[queue.vault_id, queue.name])
    return _about(request, rows, url, Permission.SPARK_QUEUES) | {
        "refusal": alerts.refusal_of(queue),
        "refetches": True,
    }


def limit_of(rule: AlertRule) -> str:
    """From when on a rule fires, in words."""
    if rule.threshold is None:
        return f"no message for {length(rule.window or 0)}"
    if rule.window is None:
        return f"a message waits for {length(rule.threshold)}"
    return f"{rule.threshold} % of the attempts fail within {length(rule.window)}"


def place_url(rule: AlertRule) -> str:
    """Where what is watched is shown."""
    if rule.queue is not None:
        return reverse("connections:queue", args=[rule.vault_id, rule.queue.name])
    return record_url(rule.connection) if rule.connection is not None else ""


def _about(request: MemberRequest, rows: list[AlertRule], url: str, needs: Permission) -> dict[str, Any]:
    return {
        "rows": _shown(rows),
        "add_url": url if can(request.member, needs) else "",
        "refusal": "",
        "refetches": False,
    }


def _shown(rules: list[AlertRule]) -> list[dict[str, Any]]:
    return [{"rule": rule, "limit": limit_of(rule), "firing": next(iter(rule.firing), None)} for rule in rules]


def _add(
    request: MemberRequest, back: str, *, connection: Connection | None = None, queue: Queue | None = None
) -> HttpResponse:
    choices = Connection.objects.filter(queue_connections__queue=queue).order_by("name") if queue else None
    data = request.POST if request.method == "POST" else None
    form = AlertRuleForm(data, choices=choices, creation_key=uuid4())
    refusal = alerts.refusal_of(queue)
    if form.is_valid() and not refusal:
        try:
            alerts.create(
                wanted=form.wanted(),
                by=request.member,
                now=clock.now(),
                queue=queue,
                connection=connection or form.cleaned_data.get("connection"),
                creation_key=form.cleaned_data["creation_key"],
            )
        except Refused as error:
            add_refusal(form, error)
        else:
            return said(request, "The alert rule watches from now on.", fallback=back)
    what = connection or queue
    return show(
        request,
        title="Add alert rule",
        cancel_url=back,
        sentences=(f"You are told when something is wrong with {what}, and when it is over.",),
        form=form,
        refusal=refusal,
    )


def _menu(request: MemberRequest, rule: AlertRule) -> list[dict[str, Any]]:
    needs, args = alerts.needed(rule.queue), [rule.vault_id, rule.pk]
    edit_url, delete_url = (
        reverse("connections:alert-rule-edit", args=args),
        reverse("connections:alert-rule-delete", args=args),
    )
    return [
        menu_entry(request.member, "Edit", edit_url, icon="pencil", needs=needs, refusal=""),
        menu_entry(request.member, "Delete", delete_url, icon="trash", needs=needs, refusal="", danger=True),
    ]


def _lacking(request: MemberRequest, rule: AlertRule) -> str:
    needs = alerts.needed(rule.queue)
    return "" if can(request.member, needs) else _needs(needs)


def _needs(permission: Permission) -> str:
    return f"Needs “{permission.label}”."


def _rule_or_404(request: MemberRequest, pk: int) -> AlertRule:
    found = selectors.find_rule(request.member, pk)
    if found is None:
        raise Http404
    return found
