"""Forms about who decides a task, and in whose place."""

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
        _offer(self.fields["assignee"], candidates)


class _Day(forms.DateInput):
    """A day picked or typed, spelled as browsers spell it."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class DelegationForm(forms.Form):
    """Approvals lent to a colleague for some days; `giver` only for those who may lend somebody else's."""

    giver = forms.ModelChoiceField(Membership.objects.none(), label="From")
    to = forms.ModelChoiceField(Membership.objects.none(), label="To", empty_label="Choose a colleague")
    starts = forms.DateField(label="First day", widget=_Day(), help_text="Days begin and end at midnight UTC.")
    ends = forms.DateField(label="Last day", widget=_Day())

    def __init__(
        self, *args: Any, receivers: Sequence[Membership], givers: Sequence[Membership] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        _offer(self.fields["to"], receivers)
        if givers:
            _offer(self.fields["giver"], givers)
        else:
            del self.fields["giver"]


class EndForm(forms.Form):
    """End a delegation early: nothing to fill in."""


def _offer(field: forms.Field, members: Sequence[Membership]) -> None:
    found = Membership.objects.filter(pk__in=[member.pk for member in members]).select_related("user")
    field.queryset = found  # type: ignore[attr-defined]
