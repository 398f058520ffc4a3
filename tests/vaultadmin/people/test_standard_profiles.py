from pathlib import Path

from vaultadmin import standard_profiles
from vaultadmin.models import AuditEvent, SecurityProfile, Vault
from vaultadmin.permissions import Permission

TABLE = Path(__file__).resolve().parents[3] / "docs" / "permissions.md"


def test_a_new_vault_has_every_standard_profile(vault: Vault) -> None:
    held = set(vault.security_profiles.values_list("api_name", "is_standard"))

    assert held == {(profile.api_name, True) for profile in standard_profiles.STANDARD}


def test_installing_twice_changes_nothing(vault: Vault) -> None:
    before = list(vault.security_profiles.order_by("pk").values())
    rows = AuditEvent.objects.count()

    standard_profiles.install(vault)

    assert list(vault.security_profiles.order_by("pk").values()) == before
    assert AuditEvent.objects.count() == rows


def test_installing_mends_a_changed_profile_and_keeps_the_vaults_own_switch(vault: Vault) -> None:
    SecurityProfile.objects.filter(vault=vault, api_name="site_staff__v").update(
        permissions=[Permission.ADMIN_USERS], requires_second_factor=True
    )

    standard_profiles.install(vault)

    row = standard_profiles.find(vault, standard_profiles.SITE_STAFF)
    assert row.permissions == [Permission.ECOA_VIEW_SITES.value]
    assert row.requires_second_factor
    assert AuditEvent.objects.filter(event="security_profile.changed", subject_id=str(row.pk)).count() == 1


def test_the_written_table_says_what_the_profiles_allow() -> None:
    assert TABLE.read_text() == standard_profiles.table()
