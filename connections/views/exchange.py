"""The dialogs by which two vaults are connected: download, upload, withdraw, revoke."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_http_methods

from connections import conf
from connections.constants import BindingState
from connections.forms.dialogs import ConnectFromFileForm, DownloadForm, WithdrawForm
from connections.models import Binding, Connection
from connections.selectors import connections as selectors
from connections.services.handshake import establishing, files, withdrawing
from connections.services.refusals import Refused
from connections.views.common import add_refusal, list_url, record_or_404, record_url
from connections.views.dialogs import dialog, done
from vaultadmin import clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame, go
from vaultadmin.permissions import Permission
from vaultadmin.together import answer


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
@fresh_credentials
def download(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Download Connection File*: the dialog explains, its button gives the file out."""
    connection = record_or_404(request, api_name)
    refusal = files.download_refusal(connection)
    form = DownloadForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid() and not refusal:
        try:
            given = files.issue(
                connection=connection, file_id=form.cleaned_data["file_id"], by=request.member, now=clock.now()
            )
        except Refused as error:
            form, refusal = DownloadForm(), str(error)
        else:
            return _attachment(given.content, given.file_name)
    context = {"form": form, "hours": int(conf.file_lifetime().total_seconds() // 3600)}
    return dialog(request, "download", connection, refusal, context)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def connect_from_file(request: MemberRequest, vault_id: int) -> HttpResponse:
    """*Connect from File* of the list: creates the record, or takes the one there was."""
    return _connect(request, None, cancel_url=list_url(request))


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def connect_record(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Connect from File* of a record: binds this one."""
    connection = record_or_404(request, api_name)
    if refusal := establishing.connect_refusal(connection):
        return dialog(request, "connect", connection, refusal, {"form": None})
    return _connect(request, connection, cancel_url=record_url(connection))


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def withdraw(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Withdraw request*."""
    connection = record_or_404(request, api_name)
    binding = selectors.open_binding(connection)
    refusal = withdrawing.withdraw_refusal(binding, request.member)
    if binding is None or refusal:
        return dialog(request, "withdraw", connection, refusal, {"form": None})
    form = WithdrawForm(
        request.POST if request.method == "POST" else None,
        needs_reason=withdrawing.needs_reason(binding, request.member),
    )
    if form.is_valid():
        try:
            withdrawing.withdraw(
                binding=binding, by=request.member, now=clock.now(), reason=form.cleaned_data["reason"]
            )
        except Refused as error:
            refusal = str(error)
        else:
            return done(request, connection, "The request was withdrawn.")
    return dialog(request, "withdraw", connection, refusal, {"form": form, "binding": binding, "danger": True})


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
def revoke(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Revoke connection file*."""
    connection = record_or_404(request, api_name)
    issued = selectors.newest_file(connection)
    refusal = "" if issued is not None and issued.is_open(clock.now()) else "No connection file is out."
    if request.method == "POST" and issued is not None and not refusal:
        try:
            files.revoke(issued=issued, by=request.member, now=clock.now())
        except Refused as error:
            refusal = str(error)
        else:
            return done(request, connection, "The connection file was revoked.")
    return dialog(request, "revoke", connection, refusal, {"issued": issued, "danger": True})


def _connect(request: MemberRequest, connection: Connection | None, *, cancel_url: str) -> HttpResponse:
    posted = request.method == "POST"
    form = ConnectFromFileForm(request.POST, request.FILES) if posted else ConnectFromFileForm()
    if posted and form.is_valid():
        try:
            binding = establishing.connect_from_file(
                raw=form.content(), by=request.member, now=clock.now(), connection=connection
            )
        except Refused as refusal:
            add_refusal(form, refusal)
        else:
            messages.success(request, _upload_result(binding))
            return go(request, record_url(binding.connection))
    context = {"form": form, "connection": connection, "frame": frame(request), "cancel_url": cancel_url}
    return render(request, "connections/connect.html", context, status=422 if form.errors else 200)


def _upload_result(binding: Binding) -> str:
    if binding.state == BindingState.IN_FORCE:
        return f"The connection with {binding.peer_name} is established."
    if binding.state == BindingState.APPROVING:
        return f"An approval now waits in this Vault and in {binding.peer_name}."
    address = answer(selectors.peer_address(binding.connection))
    where = f" at {address}" if address else ""
    return f"Waiting for {binding.peer_name}{where}. This goes on by itself as soon as it answers."


def _attachment(content: bytes, file_name: str) -> HttpResponse:
    # Never opened in the browser under our address: a download, of a type nothing renders.
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file_name)
    response["Cache-Control"] = "no-store, private"
    return response
