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
    "AuthorizeExternalResponse": {"jwt": ("string", False)},
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
