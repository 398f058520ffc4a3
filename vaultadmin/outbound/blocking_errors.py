"""Errors of requests and urllib3 said in the words of the standard library, as in `async_errors`."""

import http.client

import requests
import urllib3


def translate(error: Exception) -> Exception:
    """The error that requests and urllib3 wrapped, or the nearest standard one when they found the fault themselves."""
    while isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
        if isinstance(error, http.client.HTTPException):
            return error
        inner = error.__cause__ or error.__context__
        if not isinstance(inner, Exception):
            return http.client.HTTPException("the answer is not HTTP")
        error = inner
    return error
