import pytest

from ecoa.service.models import ServiceParticipant
from tests.ecoa.service.bodies import BODIES
from tests.ecoa.service.caller import code_of, mint, participant_path

CALLS = {
    "discover": "/myveeva/global/services/v24.3/discover-study-site",
    "authorize": "/myveeva/us/auth/v24.3/authorize",
    "post": participant_path(),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", BODIES)
def test_bad_body_is_id_0001_and_writes_nothing(caller, call, name):
    before = ServiceParticipant.objects.count()

    response = caller.send(CALLS[call], BODIES[name], HTTP_AUTHORIZATION=f"Bearer {mint()}")

    assert (response.status_code, code_of(response)) == (400, "ID-0001")
    assert ServiceParticipant.objects.count() == before


@pytest.mark.parametrize("length", ["-1", "x", "1e9", str(2**70), ""])
def test_bad_content_length_is_id_0001(caller, length):
    extra = {"HTTP_AUTHORIZATION": f"Bearer {mint()}", "CONTENT_LENGTH": length}

    response = caller.send(CALLS["post"], b"{}", **extra)

    assert (response.status_code, code_of(response)) == (400, "ID-0001")


def test_content_type_does_not_matter(caller):
    raw = b'{"participantId":"1005-003","internalId":"i"}'

    response = caller.client.post(CALLS["post"], raw, content_type="text/plain", HTTP_AUTHORIZATION=f"Bearer {mint()}")

    assert response.json()["responseStatus"] == "SUCCESS"
