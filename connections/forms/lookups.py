"""Forms of reference lookups."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet

from connections.constants import LookupType
from connections.forms.integrations import KeyForm, SeenForm
from connections.models import Connection, ReferenceLookup
from connections.services.lookups import KEY_LENGTH, NAME_LENGTH

_NAMES = {
    LookupType.OBJECT: ("Target Object", "The API name of the object in this Vault, for example country__v."),
    LookupType.PICKLIST: ("Picklist", "The API name of the picklist in this Vault, for example study_phase__v."),
    LookupType.GENERIC: ("Name", "Lowercase letters, digits and underscores, ending in __c, for example doc_type__c."),
}
_PLAIN = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"}
_EXACT = "Compared exactly: upper and lower case differ."


class ChooseTypeForm(forms.Form):
    """Which connection and which type, before the fields of a lookup are known."""

    connection = forms.ModelChoiceField(
        Connection.objects.none(), label="Connection", to_field_name="api_name", empty_label="Choose a connection"
    )
    type = forms.ChoiceField(
        label="Lookup Type",
        choices=LookupType.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose a Lookup Type.", "invalid_choice": "Choose a Lookup Type."},
    )

    def __init__(self, *args: Any, homes: QuerySet[Connection], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["connection"].queryset = homes  # type: ignore[attr-defined]


class _KeyFields(forms.Form):
    target_key_field = forms.CharField(
        label="Target Key Field",
        max_length=NAME_LENGTH,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text="The field of the target object that holds the target key, for example external_id__v.",
    )
    source_key = forms.CharField(
        label="Source Key",
        max_length=KEY_LENGTH,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text=f"The value as the other Vault sends it. {_EXACT}",
    )
    target_key = forms.CharField(
        label="Target Key",
        max_length=KEY_LENGTH,
        widget=forms.TextInput(attrs=_PLAIN),
        help_text="The value it stands for in this Vault.",
    )


class AddLookupForm(_KeyFields, KeyForm):
    """One row of the chosen type."""

    name = forms.CharField(max_length=NAME_LENGTH, widget=forms.TextInput(attrs=_PLAIN))

    field_order = ("creation_key", "name", "target_key_field", "source_key", "target_key")

    def __init__(self, *args: Any, type_: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label, self.fields["name"].help_text = _NAMES[LookupType(type_)]
        if type_ != LookupType.OBJECT:
            del self.fields["target_key_field"]


class EditLookupForm(_KeyFields, SeenForm):
    """Change the keys of a row."""

    def __init__(self, *args: Any, lookup: ReferenceLookup, **kwargs: Any) -> None:
        initial = {name: getattr(lookup, name) for name in _KeyFields.base_fields}
        kwargs["initial"] = initial | {"seen": lookup.modified_at.isoformat()}
        super().__init__(*args, **kwargs)
        if lookup.type != LookupType.OBJECT:
            del self.fields["target_key_field"]
