"""What a locked-out person is told."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def locked_out(request: HttpRequest, response: HttpResponse | None = None, credentials: Any = None) -> HttpResponse:
    """429 with the same sentence for known and unknown people."""
    page = render(request, "account/locked_out.html", status=429)
    page["Retry-After"] = "900"
    return page
