"""Signing certificates: the list, one, its PEM text, and *Manage Signing Certificate* of a connection."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from connections.forms.certificates import ChooseCertificateForm
from connections.models import SigningCertificate
from connections.selectors import certificates as selectors
from connections.selectors import expiring
from connections.services.refusals import Refused
from connections.services.signing import choosing, own_certificates
from connections.views import dialogs
from connections.views.common import record_or_404, record_url
from connections.views.rest import PEM
from vaultadmin import audit, clock
from vaultadmin.access import MemberRequest, fresh_credentials, requires
from vaultadmin.answers import frame
from vaultadmin.permissions import Permission
from vaultadmin.together import answer

_SHOWN = 100
_SHOWN_EVENTS = 20


@require_safe
@requires(Permission.CONNECTION_READ)
def index(request: MemberRequest, vault_id: int) -> HttpResponse:
    """Every certificate, what is about to change, and what expires soon."""
    context = {
        "rows": selectors.certificates(request.member),
        "change": answer(selectors.change_ahead(request.member)),
        "expiring": answer(expiring.soon(request.member, now=clock.now())),
        "page_title": "Signing certificates",
    }
    return render(request, "connections/certificates.html", context)


@require_safe
@requires(Permission.CONNECTION_READ)
def detail(request: MemberRequest, vault_id: int, certificate_id: str) -> HttpResponse:
    """One certificate: its stages, and which connections of this vault sign with it."""
    certificate = _certificate_or_404(request, certificate_id)
    context = {
        "certificate": certificate,
        "stages": selectors.stages(certificate),
        "next_publication": selectors.next_publication(certificate) if certificate.stage == "active" else None,
        "used_by": selectors.uses(request.member, certificate)[:_SHOWN],
        "unconfirmed": selectors.unconfirmed(request.member, certificate)[:_SHOWN],
        "events": audit.history(certificate)[:_SHOWN_EVENTS],
        "page_title": f"Signing certificate {certificate_id}",
    }
    return render(request, "connections/certificate.html", context)


@require_safe
@requires(Permission.CONNECTION_READ)
def download(request: MemberRequest, vault_id: int, certificate_id: str) -> HttpResponse:
    """The certificate as PEM, for receivers that verify what we sign."""
    certificate = _certificate_or_404(request, certificate_id)
    disposition = {"Content-Disposition": f'attachment; filename="signing-certificate-{certificate_id}.pem"'}
    return HttpResponse(certificate.pem, content_type=PEM, headers=disposition)


@require_http_methods(["GET", "POST"])
@requires(Permission.MANAGE_CONNECTIONS)
@fresh_credentials
def manage(request: MemberRequest, vault_id: int, api_name: str) -> HttpResponse:
    """*Manage Signing Certificate*: one certificate is shown to read and download, of two one is chosen."""
    connection = record_or_404(request, api_name)
    offered = choosing.choices(connection)
    form = ChooseCertificateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        chosen = form.cleaned_data["certificate"]
        try:
            choosing.choose(connection=connection, certificate_id=chosen, by=request.member, now=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            sentence = f"Messages of this connection are signed with certificate {chosen} from now on."
            return dialogs.said(request, sentence, fallback=record_url(connection))
    context = {
        "connection": connection,
        "choices": offered,
        "may_choose": len(offered) > 1,
        "form": form,
        "waiting": own_certificates.awaiting_peer(connection, now=clock.now()),
        "frame": frame(request),
        "cancel_url": record_url(connection),
        "page_title": "Manage Signing Certificate",
    }
    return render(request, "connections/manage_certificate.html", context, status=422 if form.errors else 200)


def _certificate_or_404(request: MemberRequest, certificate_id: str) -> SigningCertificate:
    found = selectors.find(request.member, certificate_id)
    if found is None:
        raise Http404
    return found
