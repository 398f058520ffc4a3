"""Which study to send, and how much of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from ecoa.forms.fields import offer
from ecoa.models import Scope, StudyMapping
from ecoa.selectors import mappings as mapping_rows
from ecoa.selectors import runs as run_rows
from vaultadmin.models import Membership


class StartRunForm(forms.Form):
    """Which study to send, and how much of it."""

    mapping = forms.ModelChoiceField(queryset=StudyMapping.objects.none(), label=_("Study"))
    scope = forms.ChoiceField(
        label=_("What to send"),
        choices=[(scope.value, scope.label) for scope in (Scope.INCREMENTAL, Scope.ALL, Scope.CHOSEN)],
        initial=Scope.INCREMENTAL.value,
        widget=forms.RadioSelect,
    )
    participants = forms.CharField(
        label=_("Participant IDs"),
        required=False,
        max_length=500_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("One on each line. For chosen participants only."),
    )

    def __init__(self, *args: Any, member: Membership, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._member = member
        offer(self, "mapping", mapping_rows.mappings(member).filter(is_active=True))

    def clean(self) -> dict[str, Any]:
        """Turn the typed IDs into rows this member sees; one nobody knows is named."""
        values = super().clean() or {}
        values["chosen"] = []
        if values.get("scope") == Scope.CHOSEN and values.get("mapping"):
            values["chosen"] = self._rows(values["mapping"], values.get("participants", ""))
        if "scope" in values:
            values["scope"] = Scope(values["scope"])
        return values

    def _rows(self, mapping: StudyMapping, text: str) -> list[int]:
        labels = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
        if not labels:
            self.add_error("participants", _("Enter the participant IDs, one on each line."))
            return []
        found = run_rows.chosen(self._member, mapping.pk, labels)
        missing = [label for label in labels if label not in found]
        if missing:
            self.add_error("participants", _("No participant of this study: %s") % ", ".join(missing[:5]))
        return list(found.values())
