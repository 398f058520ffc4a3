"""The dialog *Send signed test message* of a connection."""

from __future__ import annotations

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from connections.forms.trial_message import TrialMessageForm
from connections.services.messages import trial_message
from connections.services.refusals import Refused
from connections.views.common import add_refusal, record_or_404, record_url
from connections.views.dialogs import done, show
from vaultadmin import clock
from vaultadmin.access import MemberRequest, requires
from vaultadmin.permissions import Permission
from vaultadmin.together import answer


@require_http_methods(["GET", "POST"])
@requires(Permission.MESSAGES_OPERATE)
def send(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """Put one message that says it is a test."""
    connection = record_or_404(request, api_name)
    refusal = answer(trial_message.refusal(connection))
    form = TrialMessageForm(request.POST if request.method == "POST" else None, connection=connection)
    if form.is_valid() and not refusal:
        try:
            sent = trial_message.send(connection=connection, by=request.member, now=clock.now(), **form.cleaned_data)
        except Refused as error:
            add_refusal(form, error)
        else:
            ids = ", ".join(str(message_id) for message_id in sent.copies.values())
            return done(request, connection, f"The test message is on its way as {ids}.")
    return show(
        request,
        title="Send signed test message",
        cancel_url=record_url(connection),
        sentences=(
            f"A message with the attribute {trial_message.MARK} and no items leaves by the queue you choose.",
            "It is signed and counted like every other, so its receiver must be able to take it.",
        ),
        form=form,
        refusal=refusal,
        submit="Send",
    )
