import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.generation import GenerationMode

from tests.ecoa.service.caller import mint

OPERATIONS = ["discoverStudySite", "authorizeExternal", "getParticipant", "createOrUpdateParticipant"]


@pytest.fixture
def schema(places):
    # The end of a request must not close the connection whose transaction the test rolls back.
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/myveeva/openapi.json", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": f"Bearer {mint()}"}], ids=["without token", "with token"])
def test_service_keeps_its_own_openapi_document(schema, goal, headers, name, mode):
    operation = schema.find_operation_by_id(name)
    tried = 0

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=goal("J1").count(small=20, full=700),
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def try_cases(case):
        nonlocal tried
        case.call_and_validate(headers=headers)
        tried += 1

    try_cases()

    assert tried
