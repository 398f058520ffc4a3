import pytest

from tests.factories.people import PASSWORD, make_member, make_user, make_vault
from tests.fakes.api_client import Api
from vaultadmin.models import ApiUsage, Membership, Vault, VaultSettings
from vaultadmin.permissions import Permission


@pytest.fixture
def vault(db) -> Vault:
    return make_vault()


@pytest.fixture
def member(vault) -> Membership:
    return make_member(vault, Permission.API_ACCESS, user=make_user(password=PASSWORD))


@pytest.fixture
def api(vault, api_settings) -> Api:
    return Api(vault, vault.dns)


@pytest.fixture
def filtering(vault) -> VaultSettings:
    return VaultSettings.objects.create(vault=vault, client_id_filtering=True)


@pytest.fixture
def last_row():
    return lambda: ApiUsage.objects.order_by("-pk")[0]
