"""The dialog *Reassign* of a task; *Take it* in the inbox posts to the same address."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.answers import dialog_done, frame
from vaultadmin.forms.tasks import AssigneeForm
from vaultadmin.models import Task
from vaultadmin.permissions import Permission
from vaultadmin.worklist import assigning, holding, selectors


@require_http_methods(["GET", "POST"])
@requires(Permission.WORKFLOW_PARTICIPATE, Permission.ECOA_STUDY_TEAM)
def reassign(request: MemberRequest, vault_id: int, task_id: int) -> HttpResponse:
    """Give the task to somebody, oneself included, or back to everybody."""
    task = selectors.find(request.member, task_id)
    if task is None:
        raise Http404
    data = request.POST if request.method == "POST" else None
    initial = {"assignee": task.assigned_to_id, "seen": task.assigned_to_id}
    form = AssigneeForm(data, candidates=holding.candidates(task), initial=initial)
    if request.method != "POST" or not form.is_valid():
        return _show(request, task, form, status=422 if form.errors else 200)
    to, comment, seen = (form.cleaned_data[name] for name in ("assignee", "comment", "seen"))
    try:
        assigning.assign(task=task, to=to, seen=seen, comment=comment, by=request.member, now=clock.now())
    except assigning.AssignmentRefused as error:
        return _show(request, task, form, refusal=str(error), status=409)
    return _done(request, f"“{task}” is assigned to {to}." if to else f"“{task}” is available to everybody again.")


def _show(
    request: MemberRequest, task: Task, form: AssigneeForm, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    context = {
        "task": task,
        "form": form,
        "refusal": refusal or ("" if task.is_open else f"This task is already {task.get_status_display().lower()}."),
        "frame": frame(request),
        "cancel_url": reverse("vault:tasks", args=[task.vault_id]),
        "page_title": "Reassign",
    }
    return render(request, "site/reassign.html", context, status=status)


def _done(request: MemberRequest, sentence: str) -> HttpResponse:
    fallback = reverse("vault:tasks", args=[request.member.vault_id])
    response = dialog_done(request, "tasks:changed", fallback=fallback, toast=sentence)
    if response.status_code != 204:
        messages.success(request, sentence)
    return response
