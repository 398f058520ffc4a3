"""Answer bodies: what the service writes and what a client reads.

Writing gives compact JSON with keys in the order of the published examples. Reading takes the HTTP status and
the raw bytes and returns the one value a caller wants, or raises FailureAnswer (a proper no) or
UnreadableAnswer (not an answer at all). Reading is tolerant of additional fields and unknown codes.
"""

import json
from typing import Any, NoReturn

from ecoa.contract.codes import Code, ResponseStatus
from ecoa.contract.errors import FailureAnswer, UnreadableAnswer
from ecoa.contract.schemas import ParticipantData
from vaultadmin import strict_json

_SUCCESS_HEAD = '{"responseStatus":"SUCCESS","responseMessage":"","errorType":null,"errors":[],"data":['


def write_region(url: str) -> bytes:
    return f'{_SUCCESS_HEAD}{{"region":{_text(url)}}}]}}'.encode()


def write_token(token: str) -> bytes:
    """The one answer without an envelope."""
    return f'{{"jwt":{_text(token)}}}'.encode()


def write_participant(*, my_veeva_participant_id: str, participant_id: str) -> bytes:
    return (
        f'{_SUCCESS_HEAD}{{"myVeevaParticipantId":{_text(my_veeva_participant_id)},'
        f'"participantId":{_text(participant_id)}}}]}}'
    ).encode()


def write_participant_id(my_veeva_participant_id: str) -> bytes:
    return f"{_SUCCESS_HEAD}{_text(my_veeva_participant_id)}]}}".encode()


def write_failure(code: Code, reason: str) -> bytes:
    """The failure envelope: `message` is the table's wording, `responseMessage` carries the reason at hand."""
    envelope = {
        "responseStatus": ResponseStatus.FAILURE,
        "responseMessage": f"{code.error_type}: {reason}",
        "errorType": code.error_type,
        "errors": [{"code": code.value, "message": code.message}],
        "data": [],
    }
    return _compact(envelope).encode()


def read_region(status: int, raw: bytes) -> str:
    """The regional base URL of a discovery answer, as sent: whether it may be trusted is the caller's question."""
    item = _only(status, _success_data(status, raw))
    return _field(status, item, "region")


def read_token(status: int, raw: bytes) -> str:
    value = _object(status, raw)
    if status != 200 or "jwt" not in value:
        _refuse(status, value)
    return _field(status, value, "jwt")


def read_participant(status: int, raw: bytes) -> ParticipantData:
    item = _only(status, _success_data(status, raw))
    return ParticipantData(
        myVeevaParticipantId=_field(status, item, "myVeevaParticipantId"),
        participantId=_field(status, item, "participantId"),
    )


def read_participant_id(status: int, raw: bytes) -> str:
    """The myVeevaParticipantId of a create or update answer."""
    item = _only(status, _success_data(status, raw))
    if not isinstance(item, str) or not item:
        raise UnreadableAnswer(status, "data holds no myVeevaParticipantId")
    return item


def _success_data(status: int, raw: bytes) -> list[Any]:
    value = _object(status, raw)
    if status != 200 or value.get("responseStatus") != ResponseStatus.SUCCESS:
        _refuse(status, value)
    data = value.get("data")
    if not isinstance(data, list):
        raise UnreadableAnswer(status, "data is not a list")
    return data


def _refuse(status: int, value: dict[str, Any]) -> NoReturn:
    """Always raises. A bare 401 counts as a refusal too: the published contract does not show its body."""
    said = value.get("responseStatus")
    if status != 401 and said not in (ResponseStatus.FAILURE, ResponseStatus.EXCEPTION):
        raise UnreadableAnswer(status, "neither a success nor a failure envelope")
    errors = value.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    raise FailureAnswer(
        status=status,
        error_type=_string(value.get("errorType")),
        code=_string(first.get("code")),
        message=_string(first.get("message")),
        response_message=_string(value.get("responseMessage")),
    )


def _object(status: int, raw: bytes) -> dict[str, Any]:
    try:
        value = strict_json.loads(raw)
    except strict_json.StrictJsonError as error:
        if status == 401:
            return {}
        raise UnreadableAnswer(status, str(error)) from error
    if not isinstance(value, dict):
        raise UnreadableAnswer(status, "not a JSON object")
    return value


def _only(status: int, data: list[Any]) -> Any:
    if len(data) != 1:
        raise UnreadableAnswer(status, f"data holds {len(data)} items instead of one")
    return data[0]


def _field(status: int, item: Any, name: str) -> str:
    value = item.get(name) if isinstance(item, dict) else None
    if not isinstance(value, str) or not value:
        raise UnreadableAnswer(status, f"{name} is missing")
    return value


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
