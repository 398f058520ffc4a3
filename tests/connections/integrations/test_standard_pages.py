import pytest

from connections.models import Connection
from connections.services import standard
from tests.factories.connections import make_admin, make_certificate, make_local
from tests.factories.people import make_vault
from tests.factories.sandboxes import BY
from tests.guards.world import signed_in
from vaultadmin import clock


@pytest.fixture
def admin(db):
    make_certificate()
    vault = make_vault(application="clinical_operations")
    standard.load(vault, by=BY, now=clock.now())
    return make_admin(vault)


def shown(admin, path: str = "") -> str:
    return signed_in(admin.user).get(f"/v/{admin.vault_id}/admin/connections/{path}").content.decode()


def test_a_standard_record_shows_what_its_set_up_needs(admin):
    page = shown(admin, "cdms_clin-ops_connection__v/")

    assert "Standard connection: 2 of 4 steps done" in page
    assert "Connected with a CDMS Vault" in page
    assert "4 of 6 are Active" in page


def test_its_documented_limits_are_named(admin):
    page = shown(admin, "cdms_clin-ops_connection__v/")

    assert page.count("may fail to process Spark messages") == 2
    assert "with no notification" in page


def test_other_records_have_no_set_up(admin):
    page = shown(admin, f"{make_local(admin).api_name}/")

    assert "Limits of standard connections" not in page


def test_one_more_is_added_from_the_list(admin):
    assert "Clinical Operations to CDMS 2" in shown(admin, "create/standard/")

    path = f"/v/{admin.vault_id}/admin/connections/create/standard/"
    answer = signed_in(admin.user).post(path, {"key": "clinops_edc:2"})

    assert answer.status_code == 302
    assert answer["Location"].endswith("/cdms_clin-ops_connection__v_2/")


def test_the_same_form_twice_adds_one(admin):
    path = f"/v/{admin.vault_id}/admin/connections/create/standard/"
    client = signed_in(admin.user)

    statuses = [client.post(path, {"key": "clinops_edc:2"}).status_code for _ in range(2)]

    assert statuses == [302, 422]
    assert Connection.objects.filter(vault=admin.vault, standard_key="clinops_edc").count() == 2


def test_when_none_is_left_the_action_says_so(admin):
    for _ in range(4):
        standard.add(vault=admin.vault, key="clinops_edc", by=BY, now=clock.now())

    assert "as often as it may" in shown(admin)
    assert "as often as it may" in shown(admin, "create/standard/")
