"""Addresses of the Vault REST API: on a vault's own DNS name below /api/, and below /v/<id>/api/ for convenience.

`urlpatterns` are the resources; `rest_of_it` answers whatever else is below and comes after everything else there.
"""

from __future__ import annotations

from django.urls import URLPattern, path, re_path, register_converter

from vaultadmin import registries
from vaultadmin.registries import RestResource
from vaultadmin.rest.endpoint import nowhere
from vaultadmin.rest.resources import discovery, logs, sessions, users
from vaultadmin.rest.versions import VersionConverter

register_converter(VersionConverter, "api_version")

_OWN = (
    RestResource("", discovery.version),
    RestResource("auth", sessions.auth),
    RestResource("keep-alive", sessions.keep_alive),
    RestResource("session", sessions.session),
    RestResource("objects/users/me", users.me),
    RestResource("logs/api_usage", logs.api_usage),
)
_SPACES = ("api", "v/<int:vault_id>/api")


def _addresses() -> list[URLPattern]:
    """Every resource in both spaces, with and without a slash at the end: clients join addresses badly."""
    found = []
    for space in _SPACES:
        found += [path(f"{space}{end}", discovery.versions) for end in ("/", "")]
        for resource in (*_OWN, *registries.rest_resources):
            route = f"{space}/<api_version:version>/{resource.route}".rstrip("/")
            found += [path(f"{route}{end}", resource.view) for end in ("", "/")]
    return found


urlpatterns = _addresses()
rest_of_it = [
    re_path(r"^api/.*$", nowhere),
    re_path(r"^v/(?P<vault_id>[0-9]{1,18})/api/.*$", nowhere),
    # A number no vault can have.
    re_path(r"^v/[0-9]+/api(?:/.*)?$", nowhere),
]
