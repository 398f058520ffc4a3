"""The form of a vault's settings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from vaultadmin.models import VaultSettings
from vaultadmin.models.vault_settings import LONGEST_IDLE, LONGEST_KEPT, LONGEST_LAPSE, SHORTEST_IDLE
from vaultadmin.services.vault_settings import FIELDS, FilteringOutlook


def _label(name: str) -> dict[str, Any]:
    field = VaultSettings._meta.get_field(name)
    return {"label": str(getattr(field, "verbose_name", name)), "help_text": str(getattr(field, "help_text", ""))}


class SettingsForm(forms.Form):
    """Every setting, and why it is changed. `seen` says which version was shown."""

    client_id_filtering = forms.BooleanField(required=False, **_label("client_id_filtering"))
    session_minutes = forms.IntegerField(min_value=SHORTEST_IDLE, max_value=LONGEST_IDLE, **_label("session_minutes"))
    request_days = forms.IntegerField(min_value=1, max_value=LONGEST_LAPSE, **_label("request_days"))
    message_days = forms.IntegerField(min_value=1, max_value=LONGEST_KEPT, **_label("message_days"))
    own_requests = forms.BooleanField(required=False, **_label("own_requests"))
    reason = forms.CharField(
        label="Reason",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Kept in the audit trail.",
        error_messages={"required": "Say why, for the audit trail."},
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    confirmed = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, settings: VaultSettings, outlook: FilteringOutlook, **kwargs: Any) -> None:
        initial: dict[str, Any] = {name: getattr(settings, name) for name in FIELDS}
        seen = settings.modified_at.isoformat() if settings.modified_at else ""
        super().__init__(*args, **kwargs | {"initial": initial | {"seen": seen}})
        self.settings, self.outlook, self.warning = settings, outlook, ""
        if not settings.vault.is_sandbox:
            self.fields["own_requests"].disabled = True
            self.fields["own_requests"].help_text = "This Vault is no sandbox, so this stays off."

    def clean_seen(self) -> datetime | None:
        """The moment the shown settings were last changed; nothing for settings nobody changed yet."""
        text = self.cleaned_data["seen"]
        seen = parse_datetime(text) if text else None
        if text and (seen is None or seen.tzinfo is None):
            raise forms.ValidationError("Open the settings again before you save.")
        return seen

    def clean(self) -> dict[str, Any]:
        """Filtering that refuses somebody who called of late is switched on at the second Save, after it was shown."""
        data = super().clean() or {}
        turned_on = data.get("client_id_filtering") and not self.settings.client_id_filtering
        refuses = self.outlook.refused or not self.outlook.approved
        if turned_on and refuses and data.get("confirmed") != "client_id_filtering":
            self.warning = "Client ID Filtering will refuse the callers listed below."
            if not self.outlook.approved:
                self.warning = "No Client ID is approved in this Vault: Client ID Filtering will refuse every API call."
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["confirmed"] = "client_id_filtering"  # type: ignore[index]
        return data

    def values(self) -> dict[str, Any]:
        """The settings to store."""
        return {name: self.cleaned_data[name] for name in FIELDS}
