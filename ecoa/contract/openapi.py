"""The OpenAPI document of the service, generated from the contract's own schemas and codes."""

import json
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from ecoa.contract import schemas
from ecoa.contract.codes import Code, ResponseStatus
from ecoa.contract.paths import DEFAULT_VERSION, Region

_REF = "#/components/schemas/{model}"
_PARTICIPANT = "/myveeva/{region}/services/{version}/sponsor/{sponsorStudyId}/site/{siteNum}/participant"
_FAILURES = {
    "400": "The request is invalid (ID-0001).",
    "404": "No such resource or region.",
    "500": "The service failed (UE-0001).",
}
_UNAUTHORIZED = {"401": "The token, the credentials or the caller's address are wrong."}

_PATH = {
    "version": ("The version of the API you want to use for the request.", DEFAULT_VERSION),
    "region": ("The regional store, from the URL discovery answered.", Region.US),
    "sponsorStudyId": ("The study: the sponsor's ID or ours.", schemas.EXAMPLE_STUDY),
    "siteNum": ("The study site: its number or our ID.", schemas.EXAMPLE_SITE),
}

_REQUESTS: list[type[BaseModel]] = [
    schemas.DiscoverStudySiteRequest,
    schemas.AuthorizeExternalRequest,
    schemas.ParticipantExternalPostRequest,
]
_ANSWERS: list[type[BaseModel]] = [
    schemas.DiscoverStudySiteResponse,
    schemas.AuthorizeExternalResponse,
    schemas.ParticipantExternalGetResponse,
    schemas.ParticipantExternalPostResponse,
    schemas.FailureResponse,
]


@cache
def document() -> bytes:
    """The whole document as compact JSON."""
    return json.dumps(_document(), ensure_ascii=False, separators=(",", ":")).encode()


def _document() -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "eCOA external participant API",
            "version": DEFAULT_VERSION,
            "description": _codes_text(),
        },
        "paths": {
            "/myveeva/global/services/{version}/discover-study-site": {"post": _discover()},
            "/myveeva/{region}/auth/{version}/authorize": {"post": _authorize()},
            _PARTICIPANT: {"get": _read(), "post": _write()},
        },
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _discover() -> dict[str, Any]:
    return _operation(
        "discoverStudySite",
        "Identify the regional URL to use for subsequent calls.",
        [_path("version")],
        schemas.DiscoverStudySiteResponse,
        body=schemas.DiscoverStudySiteRequest,
    )


def _authorize() -> dict[str, Any]:
    return _operation(
        "authorizeExternal",
        "Exchange the secret of a system for an access token.",
        [_region(), _path("version")],
        schemas.AuthorizeExternalResponse,
        body=schemas.AuthorizeExternalRequest,
        or_failure=True,
    )


def _read() -> dict[str, Any]:
    query = {
        "name": "internalId",
        "in": "query",
        "required": True,
        "description": "The unique ID for the participant in the calling system.",
        "schema": _identifier(),
        "example": schemas.EXAMPLE_INTERNAL_ID,
    }
    return _operation(
        "getParticipant",
        "Retrieve participant information.",
        [*_place(), query],
        schemas.ParticipantExternalGetResponse,
        secured=True,
    )


def _write() -> dict[str, Any]:
    operation = _operation(
        "createOrUpdateParticipant",
        "Create a participant or update its participant ID.",
        _place(),
        schemas.ParticipantExternalPostResponse,
        body=schemas.ParticipantExternalPostRequest,
        secured=True,
    )
    place = {name: f"$request.path.{name}" for name in ("region", "version", "sponsorStudyId", "siteNum")}
    read_back = {"operationId": "getParticipant", "parameters": place | {"internalId": "$request.body#/internalId"}}
    operation["responses"]["200"]["links"] = {"ReadBack": read_back}
    return operation


def _operation(
    name: str,
    summary: str,
    parameters: list[dict[str, Any]],
    answer: type[BaseModel],
    *,
    body: type[BaseModel] | None = None,
    secured: bool = False,
    or_failure: bool = False,
) -> dict[str, Any]:
    """One operation. An envelope covers refusals at HTTP 200; `or_failure` adds one to an answer without it."""
    schema = {"anyOf": [_ref(answer), _ref(schemas.FailureResponse)]} if or_failure else _ref(answer)
    responses = {"200": {"description": "Processed; responseStatus tells how.", "content": _json(schema)}}
    for status, meaning in sorted((_FAILURES | _UNAUTHORIZED).items()):
        responses[status] = {"description": meaning, "content": _json(_ref(schemas.FailureResponse))}
    operation: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": responses,
    }
    if body:
        operation["requestBody"] = {"required": True, "content": _json(_ref(body))}
    if secured:
        operation["security"] = [{"bearer": []}]
    return operation


def _place() -> list[dict[str, Any]]:
    return [_region(), _path("version"), _path("sponsorStudyId"), _path("siteNum")]


def _region() -> dict[str, Any]:
    return _path("region") | {"schema": {"type": "string", "enum": list(Region)}}


def _path(name: str) -> dict[str, Any]:
    """An identifier in the address: any text, because an unknown one is answered with a code and not refused."""
    description, example = _PATH[name]
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
        "example": example,
    }


def _identifier() -> dict[str, Any]:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": schemas.IDENTIFIER_MAX,
        "pattern": schemas.IDENTIFIER_PATTERN,
    }


def _schemas() -> dict[str, Any]:
    requests = models_json_schema([(model, "validation") for model in _REQUESTS], ref_template=_REF)[1]["$defs"]
    answers = models_json_schema([(model, "serialization") for model in _ANSWERS], ref_template=_REF)[1]["$defs"]
    for name in (model.__name__ for model in _ANSWERS if "responseStatus" in model.model_fields):
        answers[name]["properties"]["responseStatus"]["enum"] = list(ResponseStatus)
    return {**requests, **answers}


def _ref(model: type[BaseModel]) -> dict[str, Any]:
    return {"$ref": _REF.format(model=model.__name__)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _codes_text() -> str:
    rows = [f"| {code.value} | {code.error_type} | {code.message} |" for code in Code]
    return "\n".join(["| Code | Error type | Message |", "|---|---|---|", *rows])
