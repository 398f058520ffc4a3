import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_member, make_vault
from tests.vaultadmin.people.conftest import SignIn
from vaultadmin import audit, clock, standard_profiles
from vaultadmin.models import AuditEvent, Membership, User, Vault
from vaultadmin.permissions import Permission, can
from vaultadmin.services import authority, people, system_accounts

BY = audit.System("Test")


@pytest.fixture
def account(vault: Vault) -> Membership:
    return system_accounts.application_owner(vault, by=BY)


def test_asking_twice_gives_the_same_account(account: Membership) -> None:
    rows = AuditEvent.objects.count()

    assert system_accounts.application_owner(account.vault, by=BY) == account
    assert AuditEvent.objects.count() == rows


def test_every_vault_has_its_own_membership_of_one_account(account: Membership, other_vault: Vault) -> None:
    there = system_accounts.application_owner(other_vault, by=BY)

    assert there.user_id == account.user_id
    assert there.pk != account.pk


def test_it_may_read_connections_and_call_and_nothing_else(account: Membership) -> None:
    assert {permission for permission in Permission if can(account, permission)} == {
        Permission.API_ACCESS,
        Permission.CONNECTION_READ,
    }


def test_a_vault_of_before_gets_the_profile_with_the_account(db: None) -> None:
    vault = make_vault()

    account = system_accounts.application_owner(vault, by=BY)

    assert account.profile == standard_profiles.find(vault, standard_profiles.SYSTEM_ACCOUNT)


def test_the_database_refuses_it_a_password(account: Membership) -> None:
    account.user.set_password("a password somebody chose")

    with pytest.raises(IntegrityError), transaction.atomic():
        account.user.save()


def test_it_counts_as_nobody_who_runs_the_vault(account: Membership) -> None:
    assert account not in authority.administrators(account.vault)


@pytest.mark.parametrize("act", ["rename", "reset", "profile", "deactivate", "invite"])
def test_nobody_changes_it(account: Membership, owner: Membership, act: str) -> None:
    reader = standard_profiles.find(account.vault, standard_profiles.READ_ONLY)
    acts = {
        "rename": lambda: people.rename(account, name="Somebody", by=owner),
        "reset": lambda: people.reset_password(account, by=owner, now=clock.now()),
        "profile": lambda: people.change_profile(account, profile=reader, by=owner),
        "deactivate": lambda: people.set_active(account, active=False, by=owner, reason="Away"),
        "invite": lambda: people.invite(email=account.user.email, name="X", profile=reader, by=owner, now=clock.now()),
    }

    with pytest.raises(authority.AuthorityRefused, match="account of the product"):
        acts[act]()

    kept = Membership.objects.for_request().get(pk=account.pk)
    assert (kept.user.name, kept.profile, kept.is_active) == ("Application Owner", account.profile, True)


def test_the_list_of_users_marks_it(account: Membership, owner: Membership, sign_in: SignIn) -> None:
    page = sign_in(owner).get(f"/v/{account.vault_id}/admin/users/").content.decode()

    assert "Application Owner" in page
    assert "System account" in page


def test_its_page_offers_nothing(account: Membership, owner: Membership, sign_in: SignIn) -> None:
    answer = sign_in(owner).get(f"/v/{account.vault_id}/admin/users/{account.pk}/")

    assert all(entry["disabled_reason"] for entry in answer.context["actions"])


def test_an_account_of_the_product_is_no_domain_administrator(db: None) -> None:
    member = make_member(make_vault())
    User.objects.filter(pk=member.user_id).update(is_domain_admin=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(pk=member.user_id).update(is_system=True)
