from typing import Any
from wsgiref.types import WSGIEnvironment

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from vaultadmin.straight import Straight


class _Front(ClientHandler):
    def __init__(self, django: ClientHandler) -> None:
        super().__init__(enforce_csrf_checks=django.enforce_csrf_checks)
        self._django = django
        self._straight = Straight(self._pass_on)

    def __call__(self, environ: WSGIEnvironment) -> Any:
        said: list[HttpResponse] = []
        environ["answers"] = said
        self._straight(environ, self._start(environ))
        return said[-1]

    def _start(self, environ: WSGIEnvironment) -> Any:
        return lambda status, headers: environ["answers"].append(_answer(environ, status, headers))

    def _pass_on(self, environ, start_response):
        environ["answers"].append(self._django(environ))
        return []


def served(**options) -> Client:
    """A browser or machine in front of the application as the web server calls it."""
    client = Client(**options)
    client.handler = _Front(client.handler)
    return client


def _answer(environ, status, headers):
    answer = HttpResponse(status=int(status.partition(" ")[0]), headers=dict(headers))
    answer.wsgi_request = WSGIRequest(environ)
    return answer
