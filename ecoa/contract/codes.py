"""The error types and codes of the eCOA contract, with the exact wording of its published table."""

from enum import StrEnum
from typing import Self


class ErrorType(StrEnum):
    UNEXPECTED_ERROR = "UNEXPECTED_ERROR"
    INVALID_DATA = "INVALID_DATA"
    NOT_FOUND = "NOT_FOUND"
    INVALID_CONFIG = "INVALID_CONFIG"


class ResponseStatus(StrEnum):
    """SUCCESS and FAILURE are what the service answers; a client also has to expect EXCEPTION."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    EXCEPTION = "EXCEPTION"


class Code(StrEnum):
    """One documented code. `error_type` and `message` are what an answer carrying it says."""

    error_type: ErrorType
    message: str

    def __new__(cls, value: str, error_type: ErrorType, message: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.error_type = error_type
        member.message = message
        return member

    UNEXPECTED = "UE-0001", ErrorType.UNEXPECTED_ERROR, "Unexpected Error"
    INVALID_DATA = "ID-0001", ErrorType.INVALID_DATA, "Invalid Data"
    SITE_OF_OTHER_STUDY = "ID-0002", ErrorType.INVALID_DATA, "Site is not associated to specified study"
    PARTICIPANT_EXISTS = "ID-0003", ErrorType.INVALID_DATA, "Participant already exists"
    NOT_FOUND = "NF-0001", ErrorType.NOT_FOUND, "Not Found"
    STUDY_NOT_FOUND = "NF-0002", ErrorType.NOT_FOUND, "External system ID or external sponsor study ID not found"
    SITE_NOT_FOUND = "NF-0003", ErrorType.NOT_FOUND, "Study site not found"
    PARTICIPANT_NOT_FOUND = "NF-0004", ErrorType.NOT_FOUND, "Participant not found"
    INVALID_CONFIG = "IC-0001", ErrorType.INVALID_CONFIG, "Invalid Configuration"
    INTEGRATION_DISABLED = (
        "IC-0002",
        ErrorType.INVALID_CONFIG,
        "External integration not enabled; contact Veeva for help",
    )
    MAPPING_WITHDRAWN = "IC-0003", ErrorType.INVALID_CONFIG, "Integration mapping not found; contact Veeva for help"


_BY_TEXT = {code.value: code for code in Code}


def find_code(text: str) -> Code | None:
    """The documented code written `text`, None when the published table has no such code."""
    return _BY_TEXT.get(text)
