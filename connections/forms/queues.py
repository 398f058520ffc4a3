"""Forms of queues and their connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from connections import processors, rules
from connections.constants import ConnectionState, ConnectionType, QueueType
from connections.forms.dialogs import ReasonForm
from connections.forms.fields import MemberField, active_members
from connections.forms.integrations import KeyForm, SeenForm
from connections.models import Connection, Queue, QueueConnection
from connections.services.messages import queues
from vaultadmin.models import Membership

_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
_NAME_HELP = (
    "Lowercase letters, digits and underscores (_), ending in __c, for example study_sync__c. Left empty, it is made "
    "from the Label. It cannot be changed later."
)
_DELIVER_HELP = "The name of the inbound queue on the receiving side, for example study_sync_in__c."
# Which fields only some types have (veeva-core 5.1).
_ONLY = {
    QueueType.INBOUND: ("processor", "processor_user", "rollback_on_error", "sequential"),
    QueueType.OUTBOUND: ("handler", "handler_user", "rollback_on_error", "sequential"),
    QueueType.JOB: (),
}
_SPECIAL = ("processor", "processor_user", "handler", "handler_user", "rollback_on_error", "sequential")


class ChooseQueueTypeForm(forms.Form):
    """Which type, before its fields are known."""

    type = forms.ChoiceField(
        label="Queue Type",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a Queue Type.", "invalid_choice": "Choose a Queue Type."},
    )

    def __init__(self, *args: Any, types: Iterable[QueueType], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type"].choices = [(type_.value, type_.label) for type_ in types]  # type: ignore[attr-defined]


class _QueueFields(forms.Form):
    label = forms.CharField(label="Label", max_length=queues.LABEL_LENGTH)
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=queues.DESCRIPTION_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    processor = forms.ChoiceField(
        label="Message Processor",
        help_text="What takes each message that arrives.",
        error_messages={"required": "Choose a Message Processor.", "invalid_choice": "Choose a Message Processor."},
    )
    processor_user = MemberField(
        label="Message Processor User",
        help_text="The processor acts as this user; without one, for the product.",
    )
    handler = forms.ChoiceField(
        label="Message Delivery Event Handler",
        required=False,
        help_text="What happens when a message is given up, besides its line in the queue log.",
    )
    handler_user = MemberField(
        label="Message Delivery Event Handler User", help_text="Needed with a handler: it acts for this user."
    )
    rollback_on_error = forms.BooleanField(
        label="Rollback on Error",
        required=False,
        help_text="If a message cannot enter the queue, what the program did before is rolled back, too. Otherwise the "
        "program carries on.",
    )
    sequential = forms.BooleanField(
        label="Sequential",
        required=False,
        help_text="Strictly one after another, in the order of arrival: a message that fails holds up all that follow. "
        "Leave it off unless the order matters.",
    )

    def fit(self, type_: QueueType, member: Membership, queue: Queue | None = None) -> None:
        """Leave the fields this type has, and fill what can be chosen."""
        for name in _SPECIAL:
            if name not in _ONLY[type_]:
                del self.fields[name]
        self._offer("processor", processors.registered, "Choose a processor")
        self._offer("handler", processors.handlers, "None")
        for name in ("processor_user", "handler_user"):
            if name in self.fields:
                chosen = getattr(queue, f"{name}_id") if queue is not None else None
                self.fields[name].queryset = active_members(member, chosen=chosen)  # type: ignore[attr-defined]

    def _offer(self, name: str, registry: dict[str, Any], empty: str) -> None:
        if name in self.fields:
            offered = [(key, entry.label) for key, entry in sorted(registry.items(), key=lambda one: one[1].label)]
            self.fields[name].choices = [("", empty), *offered]  # type: ignore[attr-defined]


class CreateQueueForm(_QueueFields, KeyForm):
    """A new queue of the chosen type."""

    name = forms.CharField(
        label=queues.NAME_LABEL,
        required=False,
        max_length=rules.API_NAME_LENGTH,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=_NAME_HELP,
    )

    field_order = ("creation_key", "label", "name", "description")

    def __init__(self, *args: Any, type_: QueueType, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fit(type_, member)

    def clean_name(self) -> str:
        """The rule of services and database; empty means from the label."""
        name: str = self.cleaned_data["name"]
        try:
            if name:
                rules.check_own_name(name, label=queues.NAME_LABEL)
        except rules.RuleBroken as error:
            raise ValidationError(str(error)) from error
        return name


class EditQueueForm(_QueueFields, SeenForm):
    """Change everything but name and type."""

    def __init__(self, *args: Any, queue: Queue, member: Membership, **kwargs: Any) -> None:
        initial = {name: getattr(queue, name) for name in ("label", "description", *_SPECIAL)}
        users = {"processor_user": queue.processor_user_id, "handler_user": queue.handler_user_id}
        kwargs["initial"] = initial | users | {"seen": queue.modified_at.isoformat()}
        super().__init__(*args, **kwargs)
        self.fit(QueueType(queue.type), member, queue)


class StatusForm(forms.Form):
    """The status wanted, so that pressing twice does not switch back."""

    status = forms.ChoiceField(choices=[("active", "Active"), ("inactive", "Inactive")])

    @property
    def wanted(self) -> bool:
        """Active?"""
        return bool(self.cleaned_data["status"] == "active")


class DeliveryForm(forms.Form):
    """The delivery wanted."""

    delivery = forms.ChoiceField(choices=[("enabled", "Enabled"), ("disabled", "Disabled")])

    @property
    def wanted(self) -> bool:
        """Enabled?"""
        return bool(self.cleaned_data["delivery"] == "enabled")


class ConfirmForm(ReasonForm):
    """What cannot be undone: the queue's name typed, and why."""

    confirmation = forms.CharField(label="Name of the queue", max_length=rules.API_NAME_LENGTH)

    field_order = ("confirmation", "reason")

    def __init__(self, *args: Any, queue: Queue, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["confirmation"].help_text = f"Type {queue.name} to confirm."
        self.fields["confirmation"].widget.attrs |= _PLAIN


class _LinkFields(forms.Form):
    label = forms.CharField(
        label="Label",
        required=False,
        max_length=queues.LABEL_LENGTH,
        help_text="Empty, the connection's name is shown.",
    )
    deliver_to_queue = forms.CharField(
        label="Deliver to Queue",
        required=False,
        max_length=rules.API_NAME_LENGTH,
        widget=forms.TextInput(attrs=_PLAIN),
    )


class _ConnectionField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A connection with what a queue has to know of it: where it leads, and whether anything can travel yet."""

    def label_from_instance(self, obj: Connection) -> str:
        """The name, then the other vault or the type, then a state that is not Active."""
        facts = [f"to {obj.remote_vault_name}" if obj.remote_vault_name else obj.get_type_display()]
        if obj.state != ConnectionState.ACTIVE:
            facts.append(obj.get_state_display())
        return f"{obj.name} ({', '.join(facts)})"


class AddLinkForm(_LinkFields):
    """A connection for the queue."""

    connection = _ConnectionField(
        Connection.objects.none(), label="Connection", to_field_name="api_name", empty_label="Choose a connection"
    )

    field_order = ("connection", "deliver_to_queue", "label")

    def __init__(self, *args: Any, queue: Queue, choices: QuerySet[Connection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["connection"].queryset = choices  # type: ignore[attr-defined]
        if not queue.is_outbound:
            del self.fields["deliver_to_queue"]
        else:
            self.fields["deliver_to_queue"].help_text = f"{_DELIVER_HELP} Leave it empty for an External connection."


class EditLinkForm(_LinkFields, SeenForm):
    """Change a queue's connection."""

    is_active = forms.BooleanField(
        label="Active",
        required=False,
        help_text="Inactive, it gets no new messages; those that wait for it stay until it is Active again.",
    )

    field_order = ("deliver_to_queue", "label", "is_active")

    def __init__(self, *args: Any, link: QueueConnection, **kwargs: Any) -> None:
        names = ("label", "deliver_to_queue", "is_active")
        initial = {name: getattr(link, name) for name in names}
        kwargs["initial"] = initial | {"seen": link.modified_at.isoformat()}
        super().__init__(*args, **kwargs)
        if not link.queue.is_outbound or link.connection.type == ConnectionType.EXTERNAL:
            del self.fields["deliver_to_queue"]
        else:
            self.fields["deliver_to_queue"].required = True
            self.fields["deliver_to_queue"].help_text = _DELIVER_HELP
        if link.queue.is_inbound:
            self.fields["is_active"].help_text = "Inactive, what comes through this connection is refused."
