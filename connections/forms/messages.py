"""The forms of the message pages."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms

from connections.forms.dialogs import NeededReasonForm, ReasonForm
from connections.models import Queue
from connections.services.explaining import MAX_PASTED
from connections.services.messages.replaying import MANY
from vaultadmin.models import Membership


class _OnceForm(forms.Form):
    """What is done once, however often the form is sent."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": uuid4()}
        super().__init__(*args, **kwargs)


class ResendForm(_OnceForm, ReasonForm):
    """Why messages are sent again."""


class PlanForm(_OnceForm):
    """A plan is made of what the address asks for."""


class HoldForm(NeededReasonForm):
    """Why messages are held back, and of which queue of the connection."""

    field_order = ["queue", "reason"]
    queue = forms.ModelChoiceField(
        Queue.objects.none(), label="Queue", required=False, empty_label="Every queue of this connection"
    )

    def __init__(self, *args: Any, queues: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Shown to everybody who meets the hold, and kept in the audit trail."
        if queues is None:
            del self.fields["queue"]
        else:
            self.fields["queue"].queryset = queues  # type: ignore[attr-defined]


class RevealForm(NeededReasonForm):
    """Why somebody looks at what a message holds."""


class StartReplayForm(ReasonForm):
    """A large plan is started by typing how many messages it sends."""

    def __init__(self, *args: Any, total: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.total = total
        if total >= MANY:
            self.fields["amount"] = forms.CharField(
                label="Number of messages",
                max_length=12,
                help_text=f"Type {total} to say that so many messages shall be sent again.",
                error_messages={"required": f"Type {total} to go on."},
                widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
            )

    def clean_amount(self) -> str:
        """The number as it stands in the plan, with or without separators."""
        typed: str = self.cleaned_data["amount"]
        if "".join(letter for letter in typed if letter.isalnum()) != str(self.total):
            raise forms.ValidationError(f"This plan sends {self.total} messages; type that number.")
        return typed


class CompareForm(forms.Form):
    """The string a receiver built."""

    pasted = forms.CharField(
        label="String of the receiver",
        strip=False,
        max_length=MAX_PASTED,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        help_text="Paste what the receiver verified: headers, body and URL. It is compared and not kept.",
        error_messages={"required": "Paste the string the receiver verified."},
    )


class TraceForm(forms.Form):
    """Which queue is traced."""

    queue = forms.ModelChoiceField(
        Queue.objects.none(), label="Queue", error_messages={"required": "Choose the queue to trace."}
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Queue.objects.visible_to(member).filter(type="outbound").order_by("label", "pk")
        self.fields["queue"].queryset = rows  # type: ignore[attr-defined]
