"""The demo's application outside of Vault: it verifies as any receiver should, and keeps nothing.

It answers on development installations only, over TLS under the name External connections of the demo call.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from connections import signed_json
from connections.models import SigningCertificate
from connections.spark.reading import MAX_BYTES
from connections.spark.verifying import SignatureRefused, read_request
from connections.views.posted import headers_of, problem, too_large
from vaultadmin import clock
from vaultadmin.access import Gate, requires
from vaultadmin.site.demo import world

_ORIGIN: Final = world.RECEIVER_URL.removesuffix("/demo/receiver")


@csrf_exempt
@requires(Gate.MACHINE)
def receive(request: HttpRequest) -> HttpResponse:
    """200 for a message this installation signed for this address, now; 401 for everything else."""
    if request.method != "POST":
        return problem(405, "Messages are posted.", Allow="POST")
    if refusal := too_large(request, MAX_BYTES):
        return refusal
    try:
        signed = read_request(headers_of(request.META), urls=(f"{_ORIGIN}{request.get_full_path()}",))
        found = SigningCertificate.objects.filter(certificate_id=signed.certificate_id).first()
        if found is None:
            raise SignatureRefused("There is no such certificate.")
        signed.verify(request.body, signed_json.public_key(signed_json.read_certificate(found.pem)))
        signed.check_time(clock.now())
    except SignatureRefused as error:
        return problem(401, str(error))
    return JsonResponse({"accepted": signed.request_id})
