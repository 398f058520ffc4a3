"""The form of the dialog *Send signed test message*."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms

from connections.models import Connection, Queue
from connections.services.messages import trial_message


class QueueField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A queue with the connections its messages leave through, as each of them gets the test message."""

    def label_from_instance(self, obj: Queue) -> str:
        """The label and where it goes."""
        active = obj.connections.filter(is_active=True).select_related("connection").order_by("pk")
        return f"{obj.label}: goes to {', '.join(str(link.connection) for link in active)}"


class KeyForm(forms.Form):
    """The key makes a double click one message."""

    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"key": uuid4(), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)


class TrialMessageForm(KeyForm):
    """By which queue the message leaves."""

    queue = QueueField(
        Queue.objects.none(),
        empty_label=None,
        error_messages={
            "required": "Choose a queue.",
            "invalid_choice": "This queue no longer names the connection; choose another one.",
        },
    )

    def __init__(self, *args: Any, connection: Connection, **kwargs: Any) -> None:
        kwargs["initial"] = {"queue": trial_message.queues_of(connection).first()}
        super().__init__(*args, **kwargs)
        self.fields["queue"].queryset = trial_message.queues_of(connection)  # type: ignore[attr-defined]
