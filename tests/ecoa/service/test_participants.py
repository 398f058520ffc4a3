from uuid import UUID

from ecoa.service.models import ServiceParticipant, ServiceSite, ServiceStudy
from tests.ecoa.service.caller import STUDY, code_of

PARTICIPANT = "1005-003"
INTERNAL = "925c6db2-b07b-49fe-8f92-0f6a2cb405a6"


def test_post_new_participant_answers_its_id(caller):
    response = caller.post(PARTICIPANT, INTERNAL)

    stored = ServiceParticipant.objects.get(internal_id=INTERNAL)
    assert response.status_code == 200
    assert response.content == (
        b'{"responseStatus":"SUCCESS","responseMessage":"","errorType":null,"errors":[],"data":["%s"]}'
        % str(stored.my_veeva_participant_id).encode()
    )


def test_get_answers_both_ids(caller):
    written = caller.written(PARTICIPANT, INTERNAL)

    response = caller.get(INTERNAL)

    assert UUID(written)
    assert response.content == (
        b'{"responseStatus":"SUCCESS","responseMessage":"","errorType":null,"errors":[],'
        b'"data":[{"myVeevaParticipantId":"%s","participantId":"1005-003"}]}' % written.encode()
    )


def test_post_again_changes_nothing(caller):
    first = caller.written(PARTICIPANT, INTERNAL)

    assert caller.written(PARTICIPANT, INTERNAL) == first
    assert ServiceParticipant.objects.filter(internal_id=INTERNAL).count() == 1


def test_post_another_participant_id_renames_and_keeps_the_id(caller):
    first = caller.written(PARTICIPANT, INTERNAL)

    assert caller.written("1005-004", INTERNAL) == first
    assert caller.found(INTERNAL) == {"myVeevaParticipantId": first, "participantId": "1005-004"}


def test_post_a_freed_participant_id_gives_it_to_another(caller):
    first = caller.written(PARTICIPANT, INTERNAL)
    caller.written("1005-004", INTERNAL)

    assert caller.written(PARTICIPANT, "another") != first


def test_post_at_another_site_moves_and_keeps_the_id(caller):
    first = caller.written(PARTICIPANT, INTERNAL)

    assert caller.written(PARTICIPANT, INTERNAL, site="1006") == first
    assert code_of(caller.get(INTERNAL, site="1005")) == "NF-0004"
    assert caller.found(INTERNAL, site="1006")["myVeevaParticipantId"] == first


def test_post_at_a_site_of_another_region_moves_to_its_store(caller):
    first = caller.written(PARTICIPANT, INTERNAL)

    assert caller.written(PARTICIPANT, INTERNAL, site="2001", region="eu") == first
    assert code_of(caller.get(INTERNAL, site="1005")) == "NF-0004"
    assert caller.found(INTERNAL, site="2001", region="eu")["myVeevaParticipantId"] == first


def test_post_held_participant_id_is_refused_and_writes_nothing(caller):
    caller.written(PARTICIPANT, INTERNAL)
    before = list(ServiceParticipant.objects.values().order_by("pk"))

    response = caller.post(PARTICIPANT, "another", site="1006")

    assert response.status_code == 200
    assert code_of(response) == "ID-0003"
    assert list(ServiceParticipant.objects.values().order_by("pk")) == before


def test_post_rename_onto_a_held_participant_id_is_refused(caller):
    caller.written(PARTICIPANT, INTERNAL)
    caller.written("1005-004", "another")

    assert code_of(caller.post("1005-004", INTERNAL)) == "ID-0003"
    assert caller.found(INTERNAL)["participantId"] == PARTICIPANT


def test_study_and_site_may_be_named_by_internal_ids(caller):
    study = ServiceStudy.objects.get(external_id=STUDY)
    site = ServiceSite.objects.get(study=study, number="1005")

    written = caller.written(PARTICIPANT, INTERNAL, study=study.internal_id, site=site.internal_id)

    assert caller.found(INTERNAL)["myVeevaParticipantId"] == written
    assert caller.found(INTERNAL, study=study.internal_id)["myVeevaParticipantId"] == written


def test_ids_are_kept_as_sent(caller):
    participant, internal = "Zoë 7/3 “日本”\\", "é&id=1#?%00"

    caller.written(participant, internal)

    assert caller.found(internal)["participantId"] == participant
