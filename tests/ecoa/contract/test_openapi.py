import json

import pytest

from ecoa.contract import Code
from ecoa.contract.openapi import document

# schema -> {property: (type, required)}, as published
PUBLISHED = {
    "DiscoverStudySiteRequest": {
        "externalSponsorStudyId": ("string", True),
        "externalStudySiteId": ("string", True),
        "externalSystemId": ("string", True),
    },
    "DiscoverStudySiteResponse": {
        "responseStatus": ("string", False),
        "responseMessage": ("string", False),
        "errorType": ("ErrorType", False),
        "errors": ("[Error]", False),
        "data": ("[StudySiteData]", True),
    },
    "Error": {"code": ("string", False), "message": ("string", False)},
    "StudySiteData": {"region": ("string", False)},
    "AuthorizeExternalRequest": {
        "externalSystemId": ("string", True),
        "externalSystemSecret": ("string", True),
        "tenantId": ("string", True),
    },
    "AuthorizeExternalResponse": {"jwt": ("string", True)},
    "ParticipantExternalGetResponse": {
        "responseStatus": ("string", False),
        "responseMessage": ("string", False),
        "errorType": ("ErrorType", False),
        "errors": ("[Error]", False),
        "data": ("[ParticipantData]", True),
    },
    "ParticipantData": {"myVeevaParticipantId": ("string", False), "participantId": ("string", False)},
    "ParticipantExternalPostRequest": {"participantId": ("string", True), "internalId": ("string", True)},
    "ParticipantExternalPostResponse": {
        "responseStatus": ("string", False),
        "responseMessage": ("string", False),
        "errorType": ("ErrorType", False),
        "errors": ("[Error]", False),
        "data": ("[string]", True),
    },
}
# call -> (parameters as (name, in, required), schema of the body, schema of the answer), as published
CALLS = {
    "discoverStudySite": ({("version", "path", True)}, "DiscoverStudySiteRequest", "DiscoverStudySiteResponse"),
    "authorizeExternal": ({("version", "path", True)}, "AuthorizeExternalRequest", "AuthorizeExternalResponse"),
    "getParticipant": (
        {
            ("version", "path", True),
            ("sponsorStudyId", "path", True),
            ("siteNum", "path", True),
            ("internalId", "query", True),
        },
        None,
        "ParticipantExternalGetResponse",
    ),
    "createOrUpdateParticipant": (
        {("version", "path", True), ("sponsorStudyId", "path", True), ("siteNum", "path", True)},
        "ParticipantExternalPostRequest",
        "ParticipantExternalPostResponse",
    ),
}
# What stands beside the published calls: the regional stores are paths here, where they are hosts there.
OURS = {("region", "path", True)}
ERROR_TYPES = ["UNEXPECTED_ERROR", "INVALID_DATA", "NOT_FOUND", "INVALID_CONFIG"]


@pytest.fixture(scope="module")
def spec():
    return json.loads(document())


def kind(schema):
    if "anyOf" in schema:
        return next(kind(option) for option in schema["anyOf"] if option != {"type": "null"})
    if "$ref" in schema:
        return schema["$ref"].rsplit("/", 1)[-1]
    return f"[{kind(schema['items'])}]" if schema["type"] == "array" else schema["type"]


@pytest.mark.parametrize("name", PUBLISHED)
def test_schema_has_the_published_properties(spec, name):
    schema = spec["components"]["schemas"][name]
    required = schema.get("required", [])

    assert {key: (kind(value), key in required) for key, value in schema["properties"].items()} == PUBLISHED[name]


def test_error_type_lists_the_published_values(spec):
    assert spec["components"]["schemas"]["ErrorType"]["enum"] == ERROR_TYPES


def test_document_describes_the_four_calls(spec):
    operations = {
        (method, path.partition("}/" if path.startswith("/myveeva/{") else "global/")[2])
        for path, methods in spec["paths"].items()
        for method in methods
    }

    assert operations == {
        ("post", "services/{version}/discover-study-site"),
        ("post", "auth/{version}/authorize"),
        ("get", "services/{version}/sponsor/{sponsorStudyId}/site/{siteNum}/participant"),
        ("post", "services/{version}/sponsor/{sponsorStudyId}/site/{siteNum}/participant"),
    }


def operations(spec):
    return {one["operationId"]: one for methods in spec["paths"].values() for one in methods.values()}


@pytest.mark.parametrize("name", CALLS)
def test_call_has_the_published_parameters_body_and_answer(spec, name):
    parameters, body, answer = CALLS[name]
    operation = operations(spec)[name]

    described = {(each["name"], each["in"], each["required"]) for each in operation["parameters"]}
    assert described - OURS == parameters
    assert all(each["schema"]["type"] == "string" for each in operation["parameters"])
    sent = operation.get("requestBody")
    assert (sent and kind(sent["content"]["application/json"]["schema"])) == body
    answered = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert kind(answered.get("anyOf", [answered])[0]) == answer


def test_calls_answer_with_the_published_statuses(spec):
    assert all({"200", "400", "401", "500"} <= set(one["responses"]) for one in operations(spec).values())


@pytest.mark.parametrize("name", [name for name in PUBLISHED if "errorType" in PUBLISHED[name]])
def test_envelopes_share_one_error_type_that_may_be_null(spec, name):
    options = spec["components"]["schemas"][name]["properties"]["errorType"]["anyOf"]

    assert options == [{"$ref": "#/components/schemas/ErrorType"}, {"type": "null"}]


def test_document_describes_no_message_that_is_not_published(spec):
    ours = {"ErrorType", "FailureResponse"}

    assert set(spec["components"]["schemas"]) - ours == set(PUBLISHED)


def test_only_participant_calls_need_a_token(spec):
    secured = {
        operation["operationId"]
        for methods in spec["paths"].values()
        for operation in methods.values()
        if operation.get("security")
    }

    assert secured == {"getParticipant", "createOrUpdateParticipant"}


def test_description_lists_every_code(spec):
    assert all(code.value in spec["info"]["description"] for code in Code)
