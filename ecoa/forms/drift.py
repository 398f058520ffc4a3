"""The form of the dialog *Decide*."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.models import Remedy
from ecoa.services.deciding import AT_ONCE
from ecoa.services.remedies import RemedyPlan
from vaultadmin.signing.forms import SigningForm


class DecideForm(SigningForm):
    """What to do about discrepancies, why, and the signature. `plans` say what each choice would do.

    A large plan asks for its number typed, so that nobody decides about thousands by habit.
    """

    version = forms.CharField(widget=forms.HiddenInput, max_length=64)
    remedy = forms.ChoiceField(
        label=_("Decision"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a decision."), "invalid_choice": _("Choose one that is possible.")},
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Part of the signature, and shown in the history of every participant."),
        error_messages={"required": _("Say why; the reason is part of the signature.")},
    )
    amount = forms.IntegerField(label=_("How many"), help_text=_("Type how many this decision is about."))
    # Which button was pressed: empty for *Sign*, else a way to sign on a page of its own.
    sign_with = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ("version", "remedy", "reason", "amount", "password", "code")

    def __init__(self, *args: Any, plans: list[RemedyPlan], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.amounts = {plan.remedy.value: len(plan.chosen) for plan in plans if plan.chosen}
        possible = [(value, label) for value, label in Remedy.choices if value in self.amounts]
        field = self.fields["remedy"]
        if isinstance(field, forms.ChoiceField):
            field.choices = possible
        if max(self.amounts.values(), default=0) <= AT_ONCE:
            del self.fields["amount"]

    def clean(self) -> dict[str, Any]:
        """The number typed is the number decided about."""
        data = super().clean() or {}
        remedy = data.get("remedy")
        if "amount" in self.fields and remedy and data.get("amount") not in (None, self.amounts[remedy]):
            self.add_error("amount", _("This decision is about %(n)d.") % {"n": self.amounts[remedy]})
        return data
