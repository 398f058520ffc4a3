from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.factories.connections import make_admin, make_authorization, make_certificate
from tests.factories.people import make_user, make_vault
from tests.factories.sandboxes import make_keeper, make_sandbox, request_sandbox
from tests.guards.world import signed_in
from vaultadmin import clock
from vaultadmin.models import Membership, Sandbox, SandboxState
from vaultadmin.sandboxes import building


@pytest.fixture(autouse=True)
def certificate(db):
    return make_certificate()


@pytest.fixture
def keeper():
    return make_keeper()


def page(keeper, path="", vault=None):
    return signed_in(keeper.user).get(f"/v/{vault or keeper.vault_id}/admin/sandboxes/{path}")


def test_the_empty_list_says_what_a_sandbox_is(keeper):
    assert "No sandbox yet" in page(keeper).content.decode()


def test_the_list_fetches_itself_while_one_is_built(keeper):
    request_sandbox(keeper)
    assert "every 2s" in page(keeper).content.decode()

    building.build_due(now=clock.now())

    shown = page(keeper).content.decode()
    assert "every 2s" not in shown
    assert "Active" in shown


def test_the_same_list_again_is_not_sent_again(keeper):
    make_sandbox(keeper)
    client = signed_in(keeper.user)
    path = f"/v/{keeper.vault_id}/admin/sandboxes/"
    first = client.get(path, headers={"HX-Request": "true"})

    again = client.get(path, headers={"HX-Request": "true", "If-None-Match": first["ETag"]})

    assert (first.status_code, again.status_code) == (200, 304)


def test_a_sandbox_is_asked_for_by_a_form(keeper):
    path = f"/v/{keeper.vault_id}/admin/sandboxes/create/"

    answer = signed_in(keeper.user).post(path, {"name": "Training", "with_people": "on"})

    assert answer.status_code == 302
    assert Sandbox.objects.get(source=keeper.vault).vault.name == "Training"


@pytest.mark.parametrize(("typed", "status"), [("Trying out", 302), ("trying", 422), ("", 422)])
def test_a_refresh_is_confirmed_by_the_name(keeper, typed, status):
    sandbox = make_sandbox(keeper)
    path = f"/v/{keeper.vault_id}/admin/sandboxes/{sandbox.pk}/refresh/"

    answer = signed_in(keeper.user).post(path, {"confirmation": typed})

    assert answer.status_code == status
    assert Sandbox.objects.get(pk=sandbox.pk).is_building == (status == 302)


def test_a_second_refresh_the_same_day_is_shown_as_not_possible(keeper):
    sandbox = make_sandbox(keeper)
    Sandbox.objects.filter(pk=sandbox.pk).update(refreshed_at=clock.now() - timedelta(hours=1))
    path = f"/v/{keeper.vault_id}/admin/sandboxes/{sandbox.pk}/refresh/"

    assert "once in 24 hours" in page(keeper).content.decode()
    assert signed_in(keeper.user).post(path, {"confirmation": "Trying out"}).status_code == 409


def test_a_failed_one_is_tried_again(keeper):
    sandbox = request_sandbox(keeper)
    Sandbox.objects.filter(pk=sandbox.pk).update(state=SandboxState.FAILED, error="It could not be copied.")
    path = f"/v/{keeper.vault_id}/admin/sandboxes/{sandbox.pk}/retry/"

    assert "It could not be copied." in page(keeper).content.decode()
    assert signed_in(keeper.user).post(path).status_code == 302
    assert Sandbox.objects.get(pk=sandbox.pk).is_building


def test_every_page_of_a_sandbox_says_in_words_that_it_is_one(keeper):
    sandbox = make_sandbox(keeper)

    shown = page(keeper, vault=sandbox.pk).content.decode()

    assert "Sandbox vault" in shown
    assert "A sandbox has no sandboxes of its own" in shown


def test_the_picker_marks_it(keeper):
    make_sandbox(keeper)

    shown = signed_in(keeper.user).get("/").content.decode()

    assert "· Sandbox" in shown


def test_each_broken_link_has_its_cause_and_next_step(keeper):
    make_authorization(make_admin(keeper.vault))
    sandbox = make_sandbox(keeper)

    shown = page(keeper, "links/", sandbox.pk).content.decode()

    assert "1 of 1 link to mend" in shown
    assert "Secrets are never copied." in shown
    assert "Enter secret" in shown


def test_nothing_broken_is_said(keeper):
    sandbox = make_sandbox(keeper)

    assert "Nothing to mend" in page(keeper, "links/", sandbox.pk).content.decode()
    assert "This Vault is no sandbox" in page(keeper, "links/").content.decode()


def test_home_of_a_sandbox_counts_what_is_to_mend(keeper):
    make_authorization(make_admin(keeper.vault))
    sandbox = make_sandbox(keeper)

    shown = signed_in(keeper.user).get(f"/v/{sandbox.pk}/").content.decode()

    assert "Links to mend" in shown


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("create_sandbox", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_makes_a_whole_sandbox():
    boss, vault = make_user(is_domain_admin=True), make_vault()

    said = run("--vault", str(vault.pk), "--name", "Training", "--dns", "training.example.test")

    sandbox = Sandbox.objects.select_related("vault").get(source=vault)
    assert sandbox.state == SandboxState.ACTIVE
    assert f"Sandbox {sandbox.pk} Training was created at training.example.test." in said
    assert Membership.objects.filter(vault=sandbox.vault, user=boss).exists()


@pytest.mark.parametrize("arguments", [["--vault", "1", "--name", "X"], ["--vault", "{}", "--name", " "]])
def test_wrong_use_of_the_command_is_told_in_a_sentence(arguments):
    vault = make_vault()

    with pytest.raises(CommandError) as caught:
        run(*(argument.format(vault.pk) for argument in arguments))

    assert caught.value.returncode == 2
