"""Parameters of a call, wherever the client put them: query, urlencoded form or multipart (veeva-core 15.3)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError

from vaultadmin.rest.envelope import ErrorType, Failure

_LARGEST_FORM = 65_536
_UNREADABLE = (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError, UnicodeError, LookupError)
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def read(request: HttpRequest, *names: str) -> dict[str, str]:
    """The values of some parameters, "" for what is missing. What stands in the body wins over the query."""
    try:
        form, query = _form(request), request.GET
        return {name: _one(name, form, query) for name in names}
    except _UNREADABLE as error:
        raise Failure(ErrorType.INVALID_DATA, "The request cannot be read.") from error


def _form(request: HttpRequest) -> Any:
    """The form in the body; a body of another kind has no parameters of ours."""
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not announced.isdecimal() or int(announced) > _LARGEST_FORM:
        raise Failure(ErrorType.EXCEEDS_FILE_MAX_SIZE, f"The body must not be larger than {_LARGEST_FORM} bytes.")
    return request.POST if request.content_type in _FORMS else {}


def _one(name: str, *sources: Any) -> str:
    for source in sources:
        values = source.getlist(name) if source else []
        if len(set(values)) > 1:
            raise Failure(ErrorType.INVALID_DATA, f"{name} was sent more than once.")
        if values:
            return str(values[0])
    return ""
