import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from tests.vaultadmin.people.conftest import Join, SignIn
from vaultadmin import standard_profiles
from vaultadmin.accounts import lockout
from vaultadmin.models import AuditEvent, Membership, Vault
from vaultadmin.standard_profiles import AUDITOR, READ_ONLY, SITE_STAFF, VAULT_OWNER

ACTS = (
    "security-profile",
    "name",
    "reset-password",
    "reset-second-factor",
    "end-sessions",
    "unlock",
    "deactivate",
    "reactivate",
)
HTMX = {"HX-Request": "true"}


def test_every_page_opens_whole_and_as_a_fragment(owner: Membership, sign_in: SignIn) -> None:
    client = sign_in(owner)
    base = f"/v/{owner.vault_id}/"
    person = f"admin/users/{owner.pk}/"
    paths = [
        "admin/users/",
        "admin/users/invite/",
        person,
        *(f"{person}{act}/" for act in ACTS),
        "admin/security-profiles/",
        "admin/security-profiles/create/",
        "admin/security-profiles/create/?copy=auditor__v",
        "admin/security-profiles/auditor__v/",
        "admin/security-profiles/auditor__v/edit/",
        "admin/security-profiles/auditor__v/delete/",
        "my/tokens/",
        "my/tokens/create/",
    ]

    for path in [*(base + path for path in paths), "/vaults/create/"]:
        assert (client.get(path).status_code, client.get(path, headers=HTMX).status_code) == (200, 200), path


@pytest.mark.parametrize("profile", [AUDITOR, READ_ONLY, SITE_STAFF])
def test_members_without_the_permission_are_refused_in_a_sentence(
    vault: Vault, owner: Membership, join: Join, sign_in: SignIn, profile: standard_profiles.StandardProfile
) -> None:
    client = sign_in(join(vault, profile))
    base = f"/v/{vault.pk}/admin/"

    for path in ("users/", f"users/{owner.pk}/", "users/invite/", "security-profiles/", "security-profiles/create/"):
        answer = client.get(base + path)
        assert (answer.status_code, b"does not include" in answer.content) == (403, True), path


def test_people_of_other_vaults_look_like_nobody(
    vault: Vault, other_vault: Vault, owner: Membership, join: Join, sign_in: SignIn
) -> None:
    stranger = join(other_vault, SITE_STAFF)
    local = join(vault, VAULT_OWNER)
    client = sign_in(local)

    assert stranger.user.email not in client.get(f"/v/{vault.pk}/admin/users/").content.decode()
    for path in ("", *(f"{act}/" for act in ACTS)):
        assert client.get(f"/v/{vault.pk}/admin/users/{stranger.pk}/{path}").status_code == 404
    assert client.get(f"/v/{other_vault.pk}/admin/users/").status_code == 404


def test_a_foreign_profile_in_the_form_is_refused(
    vault: Vault, other_vault: Vault, owner: Membership, join: Join, sign_in: SignIn
) -> None:
    person = join(vault, SITE_STAFF)
    foreign = standard_profiles.find(other_vault, VAULT_OWNER)

    answer = sign_in(owner).post(f"/v/{vault.pk}/admin/users/{person.pk}/security-profile/", {"profile": foreign.pk})

    assert answer.status_code == 422
    assert Membership.objects.get(pk=person.pk).profile_id == person.profile_id


def test_fields_nobody_offered_change_nothing(vault: Vault, owner: Membership, join: Join, sign_in: SignIn) -> None:
    person = join(vault, SITE_STAFF)
    extra = {"is_domain_admin": "1", "is_active": "", "vault": "1", "email": "evil@example.test", "user": owner.user_id}

    sign_in(owner).post(f"/v/{vault.pk}/admin/users/{person.pk}/name/", {"name": "New Name", **extra})

    now = Membership.objects.for_request().get(pk=person.pk)
    assert (now.user.name, now.user.email, now.user.is_domain_admin, now.is_active, now.vault_id) == (
        "New Name",
        person.user.email,
        False,
        True,
        vault.pk,
    )


def test_search_filters_sort_and_pages_are_in_the_address(
    vault: Vault, owner: Membership, join: Join, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vaultadmin.selectors import people as selectors

    monkeypatch.setattr(selectors, "PAGE", 2)
    staff = [join(vault, SITE_STAFF) for _ in range(5)]
    client = sign_in(owner)
    url = f"/v/{vault.pk}/admin/users/?profile=site_staff__v&sort=-name"
    seen: list[int] = []
    while url:
        answer = client.get(url)
        seen += [row.pk for row in answer.context["rows"]]
        url = answer.context["older_url"]

    expected = sorted(staff, key=lambda person: (person.user.name, person.pk), reverse=True)
    assert seen == [person.pk for person in expected]
    found = client.get(f"/v/{vault.pk}/admin/users/?q={staff[0].user.email}").context["rows"]
    assert [row.pk for row in found] == [staff[0].pk]


def test_the_list_costs_the_same_for_ten_and_for_fifty_people(
    vault: Vault, owner: Membership, join: Join, sign_in: SignIn, django_assert_max_num_queries: object
) -> None:
    client = sign_in(owner)
    for _ in range(3):
        join(vault, SITE_STAFF)
    client.get(f"/v/{vault.pk}/admin/users/")

    with django_assert_max_num_queries(10):  # type: ignore[operator]
        client.get(f"/v/{vault.pk}/admin/users/", headers=HTMX)


def test_resetting_a_second_factor_asks_why_and_removes_all_of_it(
    vault: Vault, owner: Membership, join: Join, sign_in: SignIn
) -> None:
    person = join(vault, SITE_STAFF)
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=person.user, type=kind, data={})
    client = sign_in(owner)
    url = f"/v/{vault.pk}/admin/users/{person.pk}/reset-second-factor/"

    assert client.post(url, {}).status_code == 422
    assert client.post(url, {"reason": "Lost telephone, called back"}, headers=HTMX).headers["HX-Redirect"]

    assert not Authenticator.objects.filter(user=person.user).exists()
    rows = AuditEvent.objects.filter(event="user.second_factor_reset")
    assert {(row.chain, row.reason) for row in rows} == {
        (vault.pk, "Lost telephone, called back"),
        (0, "Lost telephone, called back"),
    }


def test_a_deactivated_member_is_out_at_the_next_click(
    vault: Vault, owner: Membership, join: Join, sign_in: SignIn
) -> None:
    person = join(vault, VAULT_OWNER)
    theirs = sign_in(person)
    assert theirs.get(f"/v/{vault.pk}/admin/users/").status_code == 200

    sign_in(owner).post(f"/v/{vault.pk}/admin/users/{person.pk}/deactivate/", {"reason": "Left"})

    assert theirs.get(f"/v/{vault.pk}/admin/users/").status_code == 404


def test_a_refusal_keeps_the_dialog_and_says_why(vault: Vault, owner: Membership, sign_in: SignIn) -> None:
    answer = sign_in(owner).post(
        f"/v/{vault.pk}/admin/users/{owner.pk}/deactivate/", {"reason": "I leave"}, headers=HTMX
    )

    assert answer.status_code == 409
    assert "Somebody must stay" in answer.content.decode()
    assert "I leave" in answer.content.decode()


def test_an_administrator_unlocks_somebody_who_mistyped(
    vault: Vault, owner: Membership, join: Join, sign_in: SignIn
) -> None:
    person = join(vault, SITE_STAFF)
    outside = Client(REMOTE_ADDR="192.0.2.50")
    for _ in range(10):
        outside.post("/accounts/login/", {"login": person.user.email, "password": "wrong"})
    client, page = sign_in(owner), f"/v/{vault.pk}/admin/users/{person.pk}/"
    assert "192.0.2.50" in client.get(page).content.decode()

    client.post(f"{page}unlock/")

    assert lockout.locked_addresses(person.user) == []
    row = AuditEvent.objects.get(chain=vault.pk, event="user.unlocked")
    assert row.changes == {"locked from": [["192.0.2.50"], []]}
