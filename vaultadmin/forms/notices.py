"""The form of one's e-mail notices."""

from django import forms


class NoticesForm(forms.Form):
    """On or off."""

    mail_notices = forms.BooleanField(
        label="E-mail notices",
        required=False,
        help_text="When a task waits for you or is about to lapse, and when a request of yours was decided or ended.",
    )
