"""The forms inside dialogs."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django import forms

from connections.connection_file import MAX_BYTES


class DownloadForm(forms.Form):
    """Which file this dialog gives out: the same one, however often it is submitted."""

    file_id = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["initial"] = {"file_id": uuid4()}
        super().__init__(*args, **kwargs)


class ReasonForm(forms.Form):
    """Why somebody does what the dialog is about."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        required=False,
        help_text="Kept in the audit trail.",
    )


class NeededReasonForm(ReasonForm):
    """Why, which must be said."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True
        self.fields["reason"].error_messages["required"] = "Say why; it is kept in the audit trail."


class WithdrawForm(ReasonForm):
    """Why a request is withdrawn; needed when somebody else made it."""

    def __init__(self, *args: Any, needs_reason: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        reason = self.fields["reason"]
        reason.required = needs_reason
        reason.help_text = "Kept in the audit trail and shown in both Vaults."
        reason.error_messages["required"] = "Say why: whoever made this request has left this Vault."


class ConnectFromFileForm(forms.Form):
    """The connection file to upload."""

    file = forms.FileField(
        label="Connection file",
        help_text="The file downloaded in the other Vault. It works once and expires.",
        error_messages={"required": "Choose the connection file.", "empty": "This file is empty; choose another one."},
    )

    def content(self) -> bytes:
        """The bytes, one more than a connection file may have at most: a huge upload is not read into memory."""
        uploaded: Any = self.cleaned_data["file"]
        raw: bytes = uploaded.read(MAX_BYTES + 1)
        return raw
