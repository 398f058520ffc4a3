"""Forms about who decides a task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms

from vaultadmin.models import Membership


class AssigneeForm(forms.Form):
    """Who has to decide a task, or nobody in particular; `seen` is who it was when the form was shown."""

    assignee = forms.ModelChoiceField(
        Membership.objects.none(),
        label="Assigned to",
        required=False,
        empty_label="Nobody: available to everybody who may decide it",
    )
    comment = forms.CharField(
        label="Comment",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Kept in the audit trail.",
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, candidates: Sequence[Membership], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Membership.objects.filter(pk__in=[member.pk for member in candidates]).select_related("user")
        self.fields["assignee"].queryset = found  # type: ignore[attr-defined]
