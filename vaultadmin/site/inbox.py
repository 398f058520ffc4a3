"""The approver's inbox and the dialog that completes a task."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from vaultadmin import clock
from vaultadmin.access import requires
from vaultadmin.answers import dialog_done, frame
from vaultadmin.models import Membership, Task
from vaultadmin.permissions import Permission
from vaultadmin.worklist import registry, selectors, services

_LISTS = {"": selectors.inbox, "mine": selectors.requested_by, "done": selectors.done}


class VerdictForm(forms.Form):
    """Verdict and comment of a task; the verdicts come from the task's kind."""

    verdict = forms.ChoiceField(label="Verdict", widget=forms.RadioSelect)
    comment = forms.CharField(
        label="Comment",
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit trail. Needed when you reject.",
    )

    def __init__(self, *args: Any, verdicts: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["verdict"].choices = verdicts  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """A rejection needs words."""
        data = super().clean() or {}
        if data.get("verdict") == "reject" and not data.get("comment", "").strip():
            self.add_error("comment", "Say why you reject, so that the requester knows what to change.")
        return data


@require_safe
@requires(Permission.WORKFLOW_PARTICIPATE, Permission.WORKFLOW_START)
def index(request: HttpRequest, vault_id: int) -> HttpResponse:
    """For me, Mine, Done."""
    shown = request.GET.get("show", "")
    tasks = _LISTS.get(shown, selectors.inbox)(request.member)
    context = {"rows": selectors.rows(tasks, request.member), "shown": shown if shown in _LISTS else ""}
    return render(request, "site/inbox.html", context)


@require_http_methods(["GET", "POST"])
@requires(Permission.WORKFLOW_PARTICIPATE, Permission.WORKFLOW_START)
def complete(request: HttpRequest, vault_id: int, task_id: int) -> HttpResponse:
    """The dialog *Complete task*. 409 with the current state when somebody was faster."""
    task = _visible_task(request.member, task_id)
    handler = registry.handler_for(task)
    refusal = handler.refusal(task, request.member)
    form = VerdictForm(request.POST or None, verdicts=handler.verdicts(task))
    status = 200
    if request.method == "POST" and not refusal and form.is_valid():
        try:
            services.complete(task=task, by=request.member, now=clock.now(), **form.cleaned_data)
        except services.VerdictRefused as error:
            refusal, status = str(error), 409
        else:
            messages.success(request, f"{task.title}: completed.")
            return dialog_done(request, "tasks:changed", fallback=handler.url(task))
    elif form.errors:
        status = 422
    elif refusal:
        status = 409
    context = {"task": task, "form": form, "refusal": refusal, "url": handler.url(task), "frame": frame(request)}
    return render(request, "site/complete_task.html", context, status=status)


def _visible_task(member: Membership, task_id: int) -> Task:
    task = Task.objects.select_related("requested_by__user", "vault").filter(vault=member.vault_id, pk=task_id).first()
    if task is None:
        raise Http404
    return task
