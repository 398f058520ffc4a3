"""Error answers: a page for people, a fragment-free status for HTMX, problem JSON for machines (interfaces.md 5)."""

from __future__ import annotations

import sys

import structlog
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import get_template

logger = structlog.get_logger(__name__)
_SENTENCES = {
    400: "This request could not be understood.",
    403: "You may not open this page.",
    404: "There is nothing here, or nothing you may see.",
    500: "Something went wrong on our side. It was logged; please try again.",
    503: "The database cannot be reached right now. Nothing was changed; please try again in a moment.",
}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400."""
    return _answer(request, 400)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403, with the sentence of whoever refused."""
    return _answer(request, 403, str(exception or ""))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose protection token is missing or old."""
    return _answer(request, 403, "This form is too old or came from another site. Reload the page and try again.")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404."""
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, rendered without the shell, which may be what broke; 503 when what broke is the way to PostgreSQL."""
    # Django calls this from the handler of whatever was raised, in a view or in any middleware.
    error = sys.exc_info()[1]
    if _database_is_away(error):
        logger.error("database_unavailable", error=str(error).splitlines()[0])
        return unavailable(request)
    return _answer(request, 500)


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After while the database is away, in the words of whoever asked (security.md B3)."""
    response = _answer(request, 503)
    response["Retry-After"] = "10"
    return response


def _database_is_away(error: BaseException | None) -> bool:
    """Not every operational error: a deadlock, for one, leaves the connection as it was."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return connection.connection is None or bool(connection.connection.closed)


def _answer(request: HttpRequest, status: int, sentence: str = "") -> HttpResponse:
    detail = sentence or _SENTENCES[status]
    if "/api/" in request.path:
        problem = {"type": "about:blank", "title": detail, "status": status, "detail": detail}
        return JsonResponse(problem, status=status, content_type="application/problem+json")
    context = {"status": status, "sentence": detail}
    if status >= 500:
        # No request context: context processors read the database.
        return HttpResponse(get_template(f"errors/{status}.html").render(context), status=status)
    return render(request, f"errors/{status}.html", context, status=status)
