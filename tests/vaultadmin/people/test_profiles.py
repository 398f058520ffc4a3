from typing import Any

import pytest

from tests.vaultadmin.people.conftest import Join, SignIn
from vaultadmin.models import AuditEvent, Membership, SecurityProfile, Vault
from vaultadmin.permissions import Permission
from vaultadmin.services import profiles
from vaultadmin.standard_profiles import VAULT_OWNER

P = Permission


@pytest.fixture
def custom(owner: Membership) -> SecurityProfile:
    return profiles.create(
        name="Site lead", permissions=[P.ADMIN_AUDIT, P.CONNECTION_READ], requires_second_factor=False, by=owner
    )


def test_a_profile_is_created_by_the_page(vault: Vault, owner: Membership, sign_in: SignIn) -> None:
    answer = sign_in(owner).post(
        f"/v/{vault.pk}/admin/security-profiles/create/",
        {"name": "Night shift", "permissions": [P.MESSAGES_OPERATE, P.CONNECTION_READ], "is_standard": "1"},
    )

    assert answer.headers["Location"].endswith("/night_shift__c/")
    row = SecurityProfile.objects.get(vault=vault, api_name="night_shift__c")
    assert (row.permissions, row.is_standard) == ([P.CONNECTION_READ.value, P.MESSAGES_OPERATE.value], False)


def test_a_name_twice_is_refused_in_a_sentence(owner: Membership, custom: SecurityProfile) -> None:
    with pytest.raises(profiles.ProfileRefused, match="site_lead__c exists"):
        profiles.create(name="Site  Lead!", permissions=[], requires_second_factor=False, by=owner)


@pytest.mark.parametrize("posted", [{"name": ""}, {"name": "x" * 129}, {"name": "ok", "permissions": ["root"]}])
def test_nonsense_is_refused(vault: Vault, owner: Membership, sign_in: SignIn, posted: dict[str, Any]) -> None:
    answer = sign_in(owner).post(f"/v/{vault.pk}/admin/security-profiles/create/", posted)

    assert answer.status_code == 422


def test_a_change_counts_at_the_holders_next_click_and_keeps_old_and_new(
    vault: Vault, owner: Membership, custom: SecurityProfile, join: Join, sign_in: SignIn
) -> None:
    person = join(vault, VAULT_OWNER)
    Membership.objects.filter(pk=person.pk).update(profile=custom)
    theirs = sign_in(person)
    assert theirs.get(f"/v/{vault.pk}/admin/audit/").status_code == 200

    sign_in(owner).post(
        f"/v/{vault.pk}/admin/security-profiles/site_lead__c/edit/",
        {"name": "Site lead", "permissions": [P.CONNECTION_READ]},
    )

    assert theirs.get(f"/v/{vault.pk}/admin/audit/").status_code == 403
    row = AuditEvent.objects.get(event="security_profile.changed")
    assert row.changes == {"permissions": [["connection_read", "admin_audit"], ["connection_read"]]}


def test_a_standard_profile_only_takes_the_switch(vault: Vault, owner: Membership, sign_in: SignIn) -> None:
    sign_in(owner).post(
        f"/v/{vault.pk}/admin/security-profiles/site_staff__v/edit/",
        {"name": "Hacked", "permissions": [P.ADMIN_USERS], "requires_second_factor": "on"},
    )

    row = SecurityProfile.objects.get(vault=vault, api_name="site_staff__v")
    assert (row.name, row.permissions, row.requires_second_factor) == ("Site Staff", ["ecoa_view_sites"], True)


def test_a_profile_somebody_holds_stays(
    vault: Vault, owner: Membership, custom: SecurityProfile, join: Join, sign_in: SignIn
) -> None:
    person = join(vault, VAULT_OWNER)
    Membership.objects.filter(pk=person.pk).update(profile=custom, is_active=False)
    url = f"/v/{vault.pk}/admin/security-profiles/site_lead__c/delete/"

    refused = sign_in(owner).post(url)
    Membership.objects.filter(pk=person.pk).delete()
    sign_in(owner).post(url)

    assert (refused.status_code, b"1 person holds it" in refused.content) == (409, True)
    assert not SecurityProfile.objects.filter(pk=custom.pk).exists()
    assert AuditEvent.objects.filter(event="security_profile.deleted", subject_label="Site lead").exists()


def test_profiles_of_other_vaults_look_missing(
    vault: Vault, other_vault: Vault, custom: SecurityProfile, join: Join, sign_in: SignIn
) -> None:
    stranger = sign_in(join(other_vault, VAULT_OWNER))

    for path in ("", "edit/", "delete/"):
        url = f"/v/{other_vault.pk}/admin/security-profiles/site_lead__c/{path}"
        assert stranger.get(url).status_code == 404
