from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.factories.people import PASSWORD, make_user
from tests.vaultadmin.people.conftest import Join, SignIn
from vaultadmin import standard_profiles
from vaultadmin.models import AuditEvent, Membership, User, Vault
from vaultadmin.standard_profiles import VAULT_OWNER

POSTED = {"name": "Safety", "application": "safety", "dns": "Safety.Example.com", "id": ""}


def run(name: str, *arguments: str) -> str:
    out = StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def test_a_domain_administrator_creates_a_vault_and_owns_it(vault: Vault, admin: User, sign_in: SignIn) -> None:
    answer = sign_in(admin).post("/vaults/create/", POSTED)

    assert answer.headers["Location"] == "/v/7002/"
    member = Membership.objects.select_related("profile", "vault").get(user=admin, vault=7002)
    assert (member.profile.api_name, member.vault.dns) == ("vault_owner__v", "safety.example.com")
    events = AuditEvent.objects.filter(chain=7002).values_list("event", flat=True)
    assert {"vault.created", "security_profile.created", "member.added"} == set(events)


def test_a_vault_owner_sees_no_such_page(vault: Vault, join: Join, sign_in: SignIn) -> None:
    assert sign_in(join(vault, VAULT_OWNER)).get("/vaults/create/").status_code == 404
    assert Client().get("/vaults/create/").status_code == 302


@pytest.mark.parametrize(
    ("posted", "sentence"),
    [
        ({"id": "7001"}, "Vault ID 7001 is taken"),
        ({"dns": "quality.example.com"}, "belongs to another vault"),
        ({"dns": "no dots"}, "Enter a DNS name"),
        ({"application": "toys"}, "Select a valid choice"),
        ({"id": "-4"}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    vault: Vault, admin: User, sign_in: SignIn, posted: dict[str, str], sentence: str
) -> None:
    answer = sign_in(admin).post("/vaults/create/", POSTED | posted)

    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert Vault.objects.count() == 1


def test_the_command_creates_a_vault_for_every_domain_administrator(admin: User) -> None:
    said = run("create_vault", "--name", "LIMS", "--application", "lims", "--dns", "lims.example.com")

    vault = Vault.objects.get()
    assert (vault.pk, str(vault.pk) in said) == (1001, True)
    assert Membership.objects.get(vault=vault).user == admin


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--id", "7001", "--dns", "b.example.com"], "is taken"),
        (["--dns", "quality.example.com"], "belongs to another"),
        (["--dns", "b.example.com", "--owner", "x@example.test"], "Nobody could own"),
    ],
)
def test_the_command_refuses_in_one_sentence_and_with_status_two(
    vault: Vault, arguments: list[str], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence) as refused:
        run("create_vault", "--name", "B", "--application", "lims", *arguments)

    assert refused.value.returncode == 2


def test_the_first_person_owns_every_vault_and_gets_a_link(vault: Vault, other_vault: Vault) -> None:
    said = run("create_admin", "--email", "First@Example.test", "--name", "First Person", "--link")

    first = User.objects.get(email="first@example.test")
    assert (first.is_domain_admin, first.has_usable_password()) == (True, False)
    assert Membership.objects.filter(user=first, profile__api_name="vault_owner__v").count() == 2
    link = said.strip().splitlines()[-1]
    path = link[link.index("/accounts/") :]
    Client().post(path, {"password": PASSWORD, "again": PASSWORD})
    assert Client().post("/accounts/login/", {"login": first.email, "password": PASSWORD}).status_code == 302


@pytest.mark.parametrize("arguments", [["--email", "nonsense", "--name", "X"], ["--email", "a@b.test", "--name", " "]])
@pytest.mark.django_db
def test_an_odd_first_person_is_refused(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        run("create_admin", *arguments, "--link")

    assert refused.value.returncode == 2


@pytest.mark.django_db
def test_the_same_person_twice_is_refused() -> None:
    known = make_user()

    with pytest.raises(CommandError, match="exists already"):
        run("create_admin", "--email", known.email, "--name", "X", "--link")


def test_the_picker_offers_what_one_may_open(vault: Vault, other_vault: Vault, join: Join, sign_in: SignIn) -> None:
    person = join(vault, VAULT_OWNER)
    Membership.objects.create(
        user=person.user,
        vault=other_vault,
        profile=standard_profiles.find(other_vault, VAULT_OWNER),
        is_active=False,
    )

    assert sign_in(person).get("/").headers["Location"] == f"/v/{vault.pk}/"
