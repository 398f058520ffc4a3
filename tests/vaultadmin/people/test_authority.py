from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from tests.factories.people import PASSWORD, make_user
from tests.vaultadmin.people.conftest import Join
from vaultadmin import clock, standard_profiles
from vaultadmin.models import AuditEvent, Membership, SecurityProfile, Vault
from vaultadmin.permissions import Permission, can
from vaultadmin.services import authority, people, profiles
from vaultadmin.standard_profiles import AUDITOR, READ_ONLY, SITE_STAFF, VAULT_OWNER, StandardProfile

USER_MANAGER = [Permission.ADMIN_USERS.value, Permission.CONNECTION_READ.value, Permission.AUTHORIZATION_READ.value]


def held(vault: Vault, profile: StandardProfile) -> SecurityProfile:
    return standard_profiles.find(vault, profile)


@pytest.fixture
def user_manager(vault: Vault) -> Membership:
    profile = SecurityProfile.objects.create(
        vault=vault, name="User manager", api_name="user_manager__c", permissions=USER_MANAGER
    )
    return Membership.objects.create(user=make_user(password=PASSWORD), vault=vault, profile=profile)


def test_a_user_manager_places_people_up_to_their_own_rights(vault: Vault, user_manager: Membership) -> None:
    invited = people.invite(
        email="cy@example.test", name="Cy", profile=held(vault, READ_ONLY), by=user_manager, now=clock.now()
    )

    assert invited.member.profile.name == "Read Only"
    with pytest.raises(authority.AuthorityRefused, match="allows more"):
        people.change_profile(invited.member, profile=held(vault, AUDITOR), by=user_manager)


def test_nobody_raises_themselves(vault: Vault, user_manager: Membership) -> None:
    with pytest.raises(authority.AuthorityRefused):
        people.change_profile(user_manager, profile=held(vault, VAULT_OWNER), by=user_manager)


def test_a_user_manager_cannot_take_somebody_higher_down_or_over(
    vault: Vault, owner: Membership, join: Join, user_manager: Membership
) -> None:
    join(vault, VAULT_OWNER)
    higher = join(vault, AUDITOR)

    for act in (
        lambda: people.change_profile(higher, profile=held(vault, READ_ONLY), by=user_manager),
        lambda: people.set_active(higher, active=False, by=user_manager, reason="x"),
        lambda: people.reset_password(higher, by=user_manager, now=clock.now()),
        lambda: people.reset_second_factor(higher, by=user_manager, reason="x"),
        lambda: people.rename(higher, name="X", by=user_manager),
        lambda: people.end_sessions(higher, by=user_manager),
        lambda: people.unlock(higher, by=user_manager),
    ):
        with pytest.raises(authority.AuthorityRefused):
            act()


def test_an_owner_cannot_take_over_an_account_that_reaches_into_another_vault(
    vault: Vault, other_vault: Vault, join: Join
) -> None:
    owner = join(vault, VAULT_OWNER)
    traveller = join(vault, SITE_STAFF)
    join(other_vault, SITE_STAFF, traveller.user)

    for act in (
        lambda: people.reset_password(traveller, by=owner, now=clock.now()),
        lambda: people.end_sessions(traveller, by=owner),
        lambda: people.unlock(traveller, by=owner),
    ):
        with pytest.raises(authority.AuthorityRefused, match="other vaults"):
            act()


def test_a_domain_administrator_may(vault: Vault, other_vault: Vault, owner: Membership, join: Join) -> None:
    traveller = join(vault, SITE_STAFF)
    join(other_vault, SITE_STAFF, traveller.user)

    assert "/accounts/invitation/" in people.reset_password(traveller, by=owner, now=clock.now())


def test_only_a_domain_administrator_takes_one_over(vault: Vault, admin: object, owner: Membership, join: Join) -> None:
    vault_owner = join(vault, VAULT_OWNER)

    with pytest.raises(authority.AuthorityRefused, match="Domain Administrator"):
        people.reset_password(owner, by=vault_owner, now=clock.now())


def test_the_last_one_in_charge_stays(vault: Vault, owner: Membership) -> None:
    for act in (
        lambda: people.change_profile(owner, profile=held(vault, READ_ONLY), by=owner),
        lambda: people.set_active(owner, active=False, by=owner, reason="x"),
    ):
        with pytest.raises(authority.AuthorityRefused, match="Somebody must stay"):
            act()
    owner.refresh_from_db()
    assert owner.is_active
    assert can(owner, Permission.ADMIN_USERS)


def test_somebody_who_never_set_a_password_is_not_in_charge(vault: Vault, owner: Membership) -> None:
    people.invite(email="cy@example.test", name="Cy", profile=held(vault, VAULT_OWNER), by=owner, now=clock.now())

    with pytest.raises(authority.AuthorityRefused, match="Somebody must stay"):
        people.set_active(owner, active=False, by=owner, reason="x")


def test_a_profile_keeps_user_rights_while_its_holder_is_the_last(
    vault: Vault, owner: Membership, user_manager: Membership
) -> None:
    people.set_active(owner, active=False, by=owner, reason="leaves")

    with pytest.raises(authority.AuthorityRefused, match="Somebody must stay"):
        profiles.change(
            user_manager.profile, name="User manager", permissions=[], requires_second_factor=False, by=owner
        )


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_demote_each_other_at_once_leave_one(vault: Vault, owner: Membership, join: Join) -> None:
    second = join(vault, VAULT_OWNER)
    profile = held(vault, READ_ONLY)

    def demote(pair: tuple[Membership, Membership]) -> str:
        try:
            people.change_profile(pair[0], profile=profile, by=Membership.objects.for_request().get(pk=pair[1].pk))
        except authority.AuthorityRefused:
            return "refused"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(2) as pool:
        outcomes = sorted(pool.map(demote, [(owner, second), (second, owner)]))

    assert outcomes == ["done", "refused"]
    assert len(authority.administrators(vault)) == 1


def test_every_change_names_who_what_and_why(vault: Vault, owner: Membership, join: Join) -> None:
    person = join(vault, SITE_STAFF)
    before = AuditEvent.objects.filter(chain=vault.pk).count()

    people.change_profile(person, profile=held(vault, READ_ONLY), by=owner)
    people.set_active(person, active=False, by=owner, reason="Left the company")
    people.set_active(person, active=False, by=owner, reason="again")

    profile_row, active_row = AuditEvent.objects.filter(chain=vault.pk).order_by("sequence")[before:]
    assert profile_row.changes == {"security profile": ["Site Staff", "Read Only"]}
    assert (active_row.event, active_row.reason) == ("member.deactivated", "Left the company")
    assert owner.user.email in active_row.actor
