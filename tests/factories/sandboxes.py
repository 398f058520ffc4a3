from typing import Any

from tests.factories.people import make_member, make_vault
from vaultadmin import audit, clock
from vaultadmin.models import Sandbox, User, Vault
from vaultadmin.permissions import Permission
from vaultadmin.sandboxes import building, services

BY = audit.System("Test")


def make_keeper(vault: Vault | None = None, user: User | None = None):
    return make_member(vault or make_vault(), Permission.ADMIN_SANDBOXES, user=user)


def request_sandbox(by=BY, source: Vault | None = None, **fields) -> Sandbox:
    values: dict[str, Any] = {"name": "Trying out", "source": source or by.vault} | fields
    return services.create(by=by, now=clock.now(), **values)


def make_sandbox(by=BY, source: Vault | None = None, **fields) -> Sandbox:
    sandbox = request_sandbox(by, source, **fields)
    building.build_due(now=clock.now())
    return Sandbox.objects.select_related("vault", "source").get(pk=sandbox.pk)
