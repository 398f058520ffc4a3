"""Request bodies: bytes ↔ frozen messages. Reading raises InvalidRequest with a sentence that carries no values."""

from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from ecoa.contract.errors import InvalidRequest
from ecoa.contract.schemas import (
    AuthorizeExternalRequest,
    DiscoverStudySiteRequest,
    Identifier,
    ParticipantExternalPostRequest,
)
from vaultadmin import strict_json

BODY_MAX = 65_536

_Request = TypeVar("_Request", bound=BaseModel)
_identifier: TypeAdapter[str] = TypeAdapter(Identifier)

_REASONS = {
    "missing": "is required",
    "string_type": "must be a string",
    "string_too_short": "must not be empty",
    "string_too_long": "is too long",
    "string_pattern_mismatch": "must not be blank or contain control characters",
}


def read_discover(raw: bytes) -> DiscoverStudySiteRequest:
    return _read(DiscoverStudySiteRequest, raw)


def read_authorize(raw: bytes) -> AuthorizeExternalRequest:
    return _read(AuthorizeExternalRequest, raw)


def read_participant_post(raw: bytes) -> ParticipantExternalPostRequest:
    return _read(ParticipantExternalPostRequest, raw)


def read_internal_id(value: str | None) -> str:
    """The query parameter of the read call; None means it was not given."""
    if value is None:
        raise InvalidRequest("internalId is required")
    try:
        return _identifier.validate_python(value, strict=True)
    except ValidationError as error:
        raise InvalidRequest(f"internalId {_reason(error)}") from None


def write(request: BaseModel) -> bytes:
    """The request as compact JSON, keys in the order of the published example."""
    return request.model_dump_json().encode()


def _read(schema: type[_Request], raw: bytes) -> _Request:
    try:
        # A NUL in a field we ignore is nobody's business; the schemas refuse one in the fields we read.
        value = strict_json.loads(raw, max_bytes=BODY_MAX, allow_nul=True)
    except strict_json.StrictJsonError as error:
        raise InvalidRequest(str(error).rstrip(".")) from error
    if not isinstance(value, dict):
        raise InvalidRequest("the body must be a JSON object")
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        # The values stay out of the message and out of the chained exception: one of them may be a secret.
        raise InvalidRequest(f"{first['loc'][0]} {_reason(error)}") from None


def _reason(error: ValidationError) -> str:
    kind = error.errors(include_url=False, include_input=False, include_context=False)[0]["type"]
    return _REASONS.get(kind, "is not valid")
