from dataclasses import dataclass

import pytest

from connections.models import Connection
from tests.connections.pages import sign_in
from tests.factories.connections import download, make_admin, make_approver, make_certificate, make_vault_to_vault
from tests.factories.people import make_vault
from vaultadmin import clock
from vaultadmin.models import Membership, Vault


@pytest.fixture
def certificate(db):
    return make_certificate()


@pytest.fixture
def admin(certificate):
    return make_admin()


@pytest.fixture
def browser(admin):
    return sign_in(admin)


@pytest.fixture
def now():
    return clock.now()


@dataclass
class Pair:
    """Two vaults of this installation with an administrator and an approver each."""

    source: Vault
    target: Vault
    source_admin: Membership
    target_admin: Membership
    source_approver: Membership
    target_approver: Membership

    def source_record(self, **fields) -> Connection:
        return make_vault_to_vault(self.source_admin, **fields)

    def file(self, *, named: bool = False, connection: Connection | None = None) -> bytes:
        record = connection or self.source_record(remote_vault_id=self.target.pk if named else None)
        return download(record, self.source_admin)


@pytest.fixture
def pair(certificate):
    source, target = make_vault(), make_vault()
    return Pair(source, target, make_admin(source), make_admin(target), make_approver(source), make_approver(target))
