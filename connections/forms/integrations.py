"""Forms of integrations and their points."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from connections import rules
from connections.constants import IntegrationPointType, RecordStatus
from connections.forms.fields import description_field
from connections.models import Connection, Integration, IntegrationPoint
from connections.services import integration_points, integrations

OWN_NAME_HELP = "Lowercase letters, digits and underscores (_), ending in __c, for example {example}."


class OwnNameField(forms.CharField):
    """An API name a customer gives."""

    def __init__(self, *, label: str, example: str, **kwargs: Any) -> None:
        super().__init__(label=label, help_text=OWN_NAME_HELP.format(example=example), **kwargs)
        self.widget.attrs |= {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}

    def validate(self, value: Any) -> None:
        """The rule of services and database."""
        super().validate(value)
        try:
            rules.check_own_name(value, label=str(self.label))
        except rules.RuleBroken as error:
            raise ValidationError(str(error)) from error


class SeenForm(forms.Form):
    """A form that knows which version of a record it was filled from."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def clean_seen(self) -> datetime:
        """The moment the shown record was last changed."""
        seen = parse_datetime(self.cleaned_data["seen"])
        if seen is None or seen.tzinfo is None:
            raise forms.ValidationError("Open the record again before you save.")
        return seen


class KeyForm(forms.Form):
    """A form whose `creation_key` makes a double click one row."""

    creation_key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"creation_key": uuid4()} | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)


class _IntegrationFields(forms.Form):
    name = forms.CharField(label="Name", max_length=128)
    api_name = OwnNameField(label=integrations.API_NAME_LABEL, example="warranty_claims__c")
    description = description_field()


class CreateIntegrationForm(_IntegrationFields, KeyForm):
    """A custom integration."""


class EditIntegrationForm(_IntegrationFields, SeenForm):
    """Change a custom integration."""

    def __init__(self, *args: Any, integration: Integration, **kwargs: Any) -> None:
        initial = {name: getattr(integration, name) for name in _IntegrationFields.base_fields}
        kwargs["initial"] = initial | {"seen": integration.modified_at.isoformat()}
        super().__init__(*args, **kwargs)


class CopyIntegrationForm(KeyForm):
    """Where a copy goes and what it is called."""

    connection = forms.ModelChoiceField(Connection.objects.none(), label="Connection", empty_label=None)
    name = forms.CharField(label="Name", max_length=128)
    api_name = OwnNameField(label=integrations.API_NAME_LABEL, example="warranty_claims__c")

    def __init__(self, *args: Any, integration: Integration, homes: QuerySet[Connection], **kwargs: Any) -> None:
        initial = {
            "connection": integration.connection_id,
            "name": f"Copy of {integration.name}"[:128],
            "api_name": integrations.free_name(integration),
        }
        super().__init__(*args, initial=initial, **kwargs)
        self.fields["connection"].queryset = homes  # type: ignore[attr-defined]


class _PointFields(forms.Form):
    type = forms.ChoiceField(
        label="Integration Point Type",
        choices=IntegrationPointType.choices,
        widget=forms.RadioSelect,
        help_text="A sender begins a step in this Vault, a receiver takes what the other Vault sent.",
        error_messages={"required": "Choose an Integration Point Type.", "invalid_choice": "Choose one of the two."},
    )
    name = forms.CharField(label="Name", max_length=128)
    api_name = OwnNameField(label=integration_points.API_NAME_LABEL, example="receive_warranty__c")
    status = forms.ChoiceField(label="Status", choices=RecordStatus.choices, initial=RecordStatus.ACTIVE.value)
    description = description_field()


class AddPointForm(_PointFields, KeyForm):
    """A point of a custom integration."""


class EditPointForm(_PointFields, SeenForm):
    """Change a point of a custom integration."""

    def __init__(self, *args: Any, point: IntegrationPoint, **kwargs: Any) -> None:
        initial = {name: getattr(point, name) for name in _PointFields.base_fields}
        kwargs["initial"] = initial | {"seen": point.modified_at.isoformat()}
        super().__init__(*args, **kwargs)


class StatusForm(forms.Form):
    """The status wanted, so that pressing twice does not switch back."""

    status = forms.ChoiceField(choices=RecordStatus.choices, widget=forms.HiddenInput)
