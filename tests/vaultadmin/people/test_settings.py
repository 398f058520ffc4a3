import pytest

from tests.connections.pages import hidden_fields, sign_in
from tests.factories.connections import make_external
from tests.factories.people import make_member, make_vault
from vaultadmin import clock, registries
from vaultadmin.models import ApiUsage, AuditEvent, VaultSettings
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.services import vault_settings
from vaultadmin.services.vault_settings import SettingsRefused

pytestmark = pytest.mark.django_db
VALUES = {"session_minutes": "20", "request_days": "14", "message_days": "30", "reason": "As agreed"}


@pytest.fixture
def admin(db):
    return make_member(make_vault(), Permission.ADMIN_SETTINGS, Permission.CONNECTION_CREATE)


@pytest.fixture
def page(admin):
    return f"/v/{admin.vault_id}/admin/settings/"


def settings_of(admin):
    return VaultSettings.of(admin.vault)


def called(vault, client_id):
    ApiUsage.objects.create(
        vault=vault,
        at=clock.now(),
        http_method="GET",
        endpoint="/api/",
        http_response_status=200,
        api_response_status="SUCCESS",
        execution_id="00000000-0000-0000-0000-000000000001",
        client_id=client_id,
        burst_limit_remaining=1,
        duration=1,
    )


def test_settings_are_changed_with_before_after_and_reason(admin, page):
    answer = sign_in(admin).post(page, VALUES | {"request_days": "7"})

    assert answer.status_code == 302
    assert settings_of(admin).request_days == 7
    row = AuditEvent.objects.get(event="settings.changed")
    assert row.changes == {"Days until a request lapses": [14, 7]}
    assert row.reason == "As agreed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": ""},
        {"request_days": "0"},
        {"request_days": "91"},
        {"message_days": "366"},
        {"session_minutes": "9"},
        {"seen": "x"},
    ],
)
def test_settings_that_cannot_be_are_shown_again_as_typed(admin, page, wrong):
    answer = sign_in(admin).post(page, VALUES | wrong)

    assert answer.status_code == 422
    assert not VaultSettings.objects.filter(vault=admin.vault).exists()


def test_unchanged_settings_leave_no_row(admin, page):
    sign_in(admin).post(page, VALUES)

    assert not AuditEvent.objects.filter(event="settings.changed").exists()


def test_somebody_elses_change_is_not_overwritten(admin, page):
    browser = sign_in(admin)
    shown = hidden_fields(browser.get(page).content.decode())
    browser.post(page, VALUES | {"request_days": "7"})

    answer = browser.post(page, VALUES | shown | {"request_days": "3"})

    assert answer.status_code == 422
    assert "Somebody changed" in answer.content.decode()
    assert settings_of(admin).request_days == 7


def test_own_requests_cannot_be_allowed_outside_a_sandbox(admin, page):
    sign_in(admin).post(page, VALUES | {"own_requests": "on"})

    assert not settings_of(admin).own_requests
    with pytest.raises(SettingsRefused, match="no sandbox"):
        vault_settings.change(
            values=dict.fromkeys(vault_settings.FIELDS, 20) | {"client_id_filtering": False, "own_requests": True},
            reason="x",
            by=admin,
            now=clock.now(),
            seen=None,
        )


def test_own_requests_can_be_allowed_in_a_sandbox(page, admin):
    admin.vault.is_sandbox = True
    admin.vault.save()

    sign_in(admin).post(page, VALUES | {"own_requests": "on"})

    assert settings_of(admin).own_requests


def test_filtering_shows_whom_it_refuses_and_is_on_after_the_second_save(admin, page):
    make_external(admin, name="RTSM", api_name="rtsm")
    called(admin.vault, "forgotten-app")
    called(admin.vault, "unknown")
    called(admin.vault, "veeva-vault-rtsm")
    browser = sign_in(admin)

    warned = browser.post(page, VALUES | {"client_id_filtering": "on"})
    text = warned.content.decode()

    assert warned.status_code == 422
    assert not settings_of(admin).client_id_filtering
    assert "forgotten-app" in text
    assert "no Client ID at all" in text
    assert "veeva-vault-rtsm" in text
    outlook = vault_settings.outlook(admin.vault)
    assert [one.client_id for one in outlook.refused] == ["forgotten-app", "unknown"]
    assert outlook.approved == [("veeva-vault-rtsm", "RTSM")]

    browser.post(page, VALUES | hidden_fields(text) | {"client_id_filtering": "on"})
    assert settings_of(admin).client_id_filtering
    assert browser.get(page).status_code == 200


def test_filtering_that_refuses_everybody_says_so_first(admin, page):
    answer = sign_in(admin).post(page, VALUES | {"client_id_filtering": "on"})

    assert "refuse every API call" in answer.content.decode()
    assert registries.clients.approved(vault_id=admin.vault_id) == []


def test_filtering_that_refuses_nobody_is_on_at_once(admin, page):
    make_external(admin, api_name="rtsm")

    sign_in(admin).post(page, VALUES | {"client_id_filtering": "on"})

    assert settings_of(admin).client_id_filtering


def test_settings_need_their_permission(admin, page):
    reader = make_member(admin.vault, Permission.CONNECTION_READ)

    assert sign_in(reader).get(page).status_code == 403
    with pytest.raises(PermissionRefused):
        vault_settings.change(values={}, reason="x", by=reader, now=clock.now(), seen=None)
