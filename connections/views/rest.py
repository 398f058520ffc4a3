"""Resources of the Vault REST API that belong to connections (veeva-core 11 and 15)."""

from __future__ import annotations

import re

from django.http import HttpResponse

from connections.models import SigningCertificate
from vaultadmin.rest.admission import SignIn
from vaultadmin.rest.call import Call
from vaultadmin.rest.endpoint import endpoint
from vaultadmin.rest.envelope import ErrorType, Failure

PEM = "application/x-pem-file"
_ID = re.compile(r"[0-9]{5}")


@endpoint("GET", sign_in=SignIn.NONE, filtered=False)
def certificate(call: Call, certificate_id: str) -> HttpResponse:
    """`GET …/services/certificate/{id}`: the PEM text of a signing certificate, for everybody, retired ones too.

    The id is looked up in our table and nowhere else (security.md D5). A success is never JSON: clients take JSON for
    a failure here.
    """
    found = SigningCertificate.objects.filter(certificate_id=certificate_id) if _ID.fullmatch(certificate_id) else None
    pem = found.values_list("pem", flat=True).first() if found is not None else None
    if pem is None:
        raise Failure(ErrorType.INVALID_DATA, "There is no signing certificate with this ID.")
    return HttpResponse(pem, content_type=PEM, headers={"Cache-Control": "public, max-age=300"})
