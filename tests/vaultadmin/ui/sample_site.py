"""Pages made of the shared components only, so that the look is tested before and apart from the product's pages."""

import json
from types import SimpleNamespace
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import include, path

from vaultadmin import clock
from vaultadmin.access import Gate, requires

VAULTS = [
    SimpleNamespace(pk=pk, name=name, is_sandbox=pk > 1100, source_vault_id=None)
    for pk, name in ((1001, "Clinical Operations"), (1002, "EDC"), (1101, "Clinical Operations UAT"))
]
ACTIONS = [
    {"label": "Connect from File", "url": "/dialog/", "icon": "upload", "dialog": True},
    {"label": "Open", "url": "/record/", "icon": "plug"},
    {"label": "Delete", "url": "/dialog/", "icon": "trash", "disabled_reason": "Referenced by queue rtsm_out"},
]
ROWS = ["Safety to EDC", "Quality to LIMS", "RIM to Clinical Operations"]
LIST = """{% extends "components/list_frame.html" %}{% load ui %}
{% block title %}Connections{% endblock %}
{% block breadcrumb %}{% crumb "Home" "/" %}{% crumb "Connections" %}{% endblock %}
{% block header_actions %}{% include "components/actions_menu.html" with items=actions %}{% endblock %}
{% block list_filters %}<label>State <select class="form-select" name="state"><option value="">All</option>
<option value="active">Active</option></select></label>{% endblock %}
{% block list_head %}{% sort_header "name" "Name" %}<th scope="col">State</th><th scope="col">Changed</th>{% endblock %}
{% block list_rows %}{% for row in rows %}<tr><td>{{ row }}</td><td data-label="State">{% state_badge "active" %}</td>
<td data-label="Changed">{% when now %}</td></tr>{% endfor %}{% endblock %}
{% block list_empty %}{% empty_state "plug" "No connections" "Create one." %}{% endempty_state %}{% endblock %}"""
RECORD = """{% extends "base.html" %}{% load ui %}
{% block header_title %}Safety to EDC{% endblock %}{% block header_badge %}{% state_badge "pending" %}{% endblock %}
{% block content %}{% include "components/section_nav.html" %}
<div class="stat-grid">{% include "components/stat.html" with label="Sent" value="12" icon="send" tone="info" %}</div>
{% card "Details" id="details" %}<dl class="details">{% detail "API Name" edit_url="/x/" %}{% copyable "safety__c" %}
{% enddetail %}{% detail "Created" %}{% when now copy=True %}{% enddetail %}</dl>{% endcard %}
{% card "Remote Vault Details" id="remote" %}{% include "components/time_switch.html" with site_zone="Asia/Tokyo" %}
{% for tone in tones %}<div class="alert alert-{{ tone }}">{% icon "info-circle" css="alert-icon" %}<div>A sentence with
<a href="/">a link</a>.</div></div>{% endfor %}{% for state in states %}{% state_badge state %} {% endfor %}
{% beads reached=2 outcome="rejected" %}{% include "components/timeline.html" %}
{% include "components/progress.html" with label="Sending" done=1 total=4 left="8 s" %}
{% include "components/wizard_steps.html" with current=2 %}{% endcard %}
<p id="summary" data-announce hx-get="/part/" hx-trigger="poke from:document" hx-swap="outerHTML">2 of 3</p>
<a href="/broken/" hx-get="/broken/" hx-target="#summary">Break</a>
<form method="post" action="/slow/">{% csrf_token %}<button class="btn">Send</button></form>{% endblock %}"""
DIALOG = """{% extends "components/dialog.html" %}{% block dialog_title %}Connect from File{% endblock %}
{% block dialog_text %}<p>The file is checked first. A used file cannot be used again.</p>{% endblock %}"""


class FileForm(forms.Form):
    file = forms.FileField(label="Connection file", required=False)
    verdict = forms.ChoiceField(choices=[("approve", "Approve"), ("reject", "Reject")], widget=forms.RadioSelect)
    comment = forms.CharField(widget=forms.Textarea, help_text="Shown to both sides.")


received: list[str] = []


def shown(request: HttpRequest, source: str, *, status: int = 200, **context: Any) -> HttpResponse:
    entries = [{"label": "Connections", "url": "/list/", "icon": "plug", "active": True, "count": 3}]
    shell = {
        "nav": [{"label": "", "items": entries}, {"label": "Admin", "items": entries}],
        "vault": VAULTS[2] if "sandbox" in request.GET else VAULTS[0],
        "vaults": VAULTS,
        "banner": "No worker answers." if "banner" in request.GET else "",
        "now": clock.now(),
        "page_title": "Sample",
    }
    return HttpResponse(engines["django"].from_string(source).render(shell | context, request), status=status)


@requires(Gate.PUBLIC)
def listing(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").lower()
    rows = [row for row in ROWS if query in row.lower()]
    search = {"value": query, "label": "Search connections"}
    chips = [{"label": "State: Active", "url": "?"}] if request.GET.get("state") else []
    return shown(
        request,
        LIST,
        rows=rows,
        search=search,
        chips=chips,
        actions=ACTIONS,
        refresh_on="connections:changed",
        older_url="?before=1",
    )


@requires(Gate.PUBLIC)
def record(request: HttpRequest) -> HttpResponse:
    return shown(
        request, RECORD,
        sections=[{"id": "details", "label": "Details"}, {"id": "remote", "label": "Remote Vault Details", "count": 2}],
        tones=["info", "success", "warning", "danger"],
        states=["pending", "approved", "active", "inactive", "disconnected", "sending", "unknown", "odd"],
        events=[{"title": "Created", "at": clock.now(), "by": "Ana"}, {"title": "Approval", "state": "current"}],
        steps=["Type", "Details", "Review"],
    )  # fmt: skip


@requires(Gate.PUBLIC)
def dialog(request: HttpRequest) -> HttpResponse:
    form = FileForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        triggers = {"dialog:close": {}, "connections:changed": {}, "toast": {"text": "Connected.", "level": "success"}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(triggers)})
    return shown(request, DIALOG, form=form, cancel_url="/list/", status=422 if form.errors else 200)


@requires(Gate.PUBLIC)
def part(request: HttpRequest) -> HttpResponse:
    return HttpResponse('<p id="summary" data-announce>3 of 3</p>')


@requires(Gate.PUBLIC)
def broken(request: HttpRequest) -> HttpResponse:
    return shown(request, '{% extends "errors/403.html" %}', sentence="You need Workflow: Start.", status=403)


@requires(Gate.PUBLIC)
def slow(request: HttpRequest) -> HttpResponse:
    received.append(request.path)
    # No answer to show: the browser stays on the page, as with a reply that takes long.
    return HttpResponse(status=204)


@requires(Gate.PUBLIC)
def palette(request: HttpRequest, vault_id: int) -> HttpResponse:
    items = [{"label": f"{request.GET['q']} {name}", "url": "/record/", "icon": "plug"} for name in ("one", "two")]
    return shown(
        request, '{% extends "components/palette_results.html" %}', groups=[{"label": "Pages", "items": items}]
    )


vault_patterns = [path("", listing, name="home"), path("palette/", palette, name="palette")]
urlpatterns = [
    path("list/", listing),
    path("record/", record),
    path("dialog/", dialog),
    path("part/", part),
    path("broken/", broken),
    path("slow/", slow),
    path("v/<int:vault_id>/", include((vault_patterns, "vault"))),
    path("accounts/", include("vaultadmin.accounts.urls")),
]
handler404 = "vaultadmin.site.errors.not_found"
