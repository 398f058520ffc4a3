"""Forms of alert rules: shape only; what fits which kind is the service's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _

from connections.constants import AlertKind
from connections.models import AlertRule, Connection
from connections.rules import URL_LENGTH
from connections.services.messages.alerts import Wanted

_MOST = 10_000_000
_FIELDS = ("kind", "threshold", "window", "is_active", "by_mail", "webhook_url")


class AlertRuleForm(forms.Form):
    """What fires, and who is told. `seen` says which version was shown, `creation_key` that this is one attempt."""

    connection = forms.ModelChoiceField(
        label=_("Connection"),
        queryset=Connection.objects.none(),
        required=False,
        empty_label=_("All of the queue's connections"),
    )
    kind = forms.ChoiceField(
        label=_("Alert on"),
        choices=AlertKind.choices,
        initial=AlertKind.FAILURES,
        help_text=_("Failed attempts, a message that waits too long, or no message at all."),
    )
    threshold = forms.IntegerField(
        label=_("Threshold"),
        required=False,
        min_value=1,
        max_value=_MOST,
        initial=20,
        help_text=_("Failure rate: percent of the attempts. Backlog age: minutes. Not used for silence."),
    )
    window = forms.IntegerField(
        label=_("Window in minutes"),
        required=False,
        min_value=1,
        max_value=_MOST,
        initial=15,
        help_text=_("Failure rate: how far it looks back. Silence: how long nothing came. Not used for backlog age."),
    )
    is_active = forms.BooleanField(label=_("Active"), required=False, initial=True)
    by_mail = forms.BooleanField(label=_("E-mail to everybody who operates messages"), required=False, initial=True)
    webhook_url = forms.CharField(
        label=_("Webhook URL"),
        required=False,
        max_length=URL_LENGTH,
        help_text=_("Called when it fires and when it is over; https:// only."),
    )
    webhook_secret = forms.CharField(
        label=_("Webhook secret"),
        required=False,
        max_length=255,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("The calls are signed with it (HMAC-SHA256). Never shown again; empty keeps the stored one."),
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)
    creation_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: Any, *, choices: Any = None, rule: AlertRule | None = None, creation_key: UUID | None = None
    ) -> None:
        initial: dict[str, Any] = {"creation_key": creation_key}
        if rule is not None:
            initial |= {name: getattr(rule, name) for name in _FIELDS} | {"seen": rule.modified_at.isoformat()}
        super().__init__(data, initial=initial)
        if choices is None:
            del self.fields["connection"]
        else:
            self.fields["connection"].queryset = choices  # type: ignore[attr-defined]

    def clean_seen(self) -> Any:
        """The moment the shown rule was last changed; nothing for a new one."""
        text = self.cleaned_data["seen"]
        seen = parse_datetime(text) if text else None
        if text and (seen is None or seen.tzinfo is None):
            raise forms.ValidationError(_("Open the rule again before you save."))
        return seen

    def wanted(self) -> Wanted:
        """The rule as it was entered."""
        data = self.cleaned_data
        return Wanted(webhook_secret=data["webhook_secret"], **{name: data[name] for name in _FIELDS})


class SnoozeForm(forms.Form):
    """How long an alert asks for nobody's attention, and why."""

    hours = forms.TypedChoiceField(
        label=_("Snooze for"),
        coerce=int,
        choices=[
            (1, _("1 hour")),
            (4, _("4 hours")),
            (24, _("1 day")),
            (72, _("3 days")),
            (168, _("7 days")),
            (720, _("30 days")),
        ],
    )
    note = forms.CharField(label=_("Note"), max_length=255, help_text=_("What you found out; others see it."))
