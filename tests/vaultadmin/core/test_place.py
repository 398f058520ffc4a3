from __future__ import annotations

import os
import shutil

import pytest
from django.core import mail
from django.urls import reverse

from connections.constants import BindingState, ConnectionState
from connections.models import Binding, Connection, OutgoingPeerMessage, SigningCertificate
from connections.services import probing
from connections.services.refusals import Refused
from connections.services.signing import certificates
from connections.tasks import deliver_peer_messages, lapse_requests, renew_certificates
from tests.connections.handshake import fresh, proof_of, settle, upload
from tests.factories.connections import (
    download,
    make_admin,
    make_authorization,
    make_certificate,
    make_external,
    make_vault_to_vault,
)
from tests.factories.ecoa import make_mapping, make_run
from tests.factories.people import PASSWORD, make_member, make_vault
from tests.guards.world import signed_in
from vaultadmin import clock, place
from vaultadmin.models import ApiToken, AuditEvent, Installation, Notice, Secret, Signature
from vaultadmin.permissions import Permission
from vaultadmin.services import place as services
from vaultadmin.services.place import Decision
from vaultadmin.signing.services import version_of
from vaultadmin.worklist import notices

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(settings, tmp_path):
    """Recorded where it is: a database, a data folder and an address."""
    settings.PLACE_FILE = tmp_path / "data" / "place"
    settings.PLACE_ADDRESS = "https://vaults.example.test"
    assert services.look()
    return tmp_path / "data"


@pytest.fixture
def held(home, settings):
    settings.PLACE_ADDRESS = "https://copy.example.test"
    assert place.held()
    return home


@pytest.fixture
def operator():
    member = make_member(make_vault(), *Permission)
    member.user.is_domain_admin = True
    member.user.set_password(PASSWORD)
    member.user.save()
    return member


def decide(decision, by):
    return services.decide(
        decision=decision,
        reason="Moved to the new server.",
        seen_version=version_of(services.statement()),
        proof=proof_of(by),
        by=by,
        now=clock.now(),
    )


def trail(event):
    return AuditEvent.objects.filter(chain=0, event=event)


def test_first_start_records_the_place_and_the_next_ones_find_it(home):
    assert services.look()

    assert not place.held()
    assert set(Installation.current().place) == {place.DATABASE, place.FOLDER, place.ADDRESS}
    assert trail("installation.place_recorded").count() == 1


def test_nothing_is_held_before_a_place_was_recorded():
    assert not place.held()


def test_copied_data_folder_is_another_place(home, settings, tmp_path):
    shutil.copytree(home, tmp_path / "copy")
    settings.PLACE_FILE = tmp_path / "copy" / "place"

    assert not services.look()

    assert list(place.differences(Installation.current().place)) == [place.FOLDER]
    assert trail("installation.in_another_place").count() == 1


def test_folder_that_was_only_renamed_is_the_same_place(home, settings, tmp_path):
    os.rename(home, tmp_path / "renamed")
    settings.PLACE_FILE = tmp_path / "renamed" / "place"

    assert services.look()


@pytest.mark.parametrize("mark", [place.DATABASE, place.ADDRESS])
def test_another_database_or_address_is_another_place(home, mark):
    installation = Installation.current()
    installation.place |= {mark: "elsewhere"}
    installation.save()

    assert place.held()
    assert not services.look()
    assert Installation.current().place[mark] == "elsewhere"


def test_command_without_the_address_is_judged_by_the_other_marks(home, settings):
    settings.PLACE_ADDRESS = ""

    assert not place.held()


def test_address_that_is_configured_later_is_recorded(settings, tmp_path):
    settings.PLACE_FILE, settings.PLACE_ADDRESS = tmp_path / "place", ""
    services.look()

    settings.PLACE_ADDRESS = "https://vaults.example.test"
    assert services.look()

    assert Installation.current().place[place.ADDRESS] == "https://vaults.example.test"


def test_nothing_leaves_while_it_is_held(held, certificate_of_ours, pair_of_vaults, monkeypatch):
    source, target = pair_of_vaults
    binding = upload(download_before(source, held), target)
    sent_before = OutgoingPeerMessage.objects.filter(settled_at__isnull=True).count()

    for task in (deliver_peer_messages, renew_certificates, lapse_requests):
        task()
    Notice.objects.all().update(due_at=clock.now())
    assert notices.deliver_due(now=clock.now()) == 0

    assert sent_before == OutgoingPeerMessage.objects.filter(settled_at__isnull=True).count() == 1
    assert fresh(binding).state == BindingState.PROPOSED
    assert mail.outbox == []


@pytest.fixture
def certificate_of_ours(db):
    return make_certificate()


@pytest.fixture
def pair_of_vaults(certificate_of_ours):
    return make_admin(make_vault()), make_admin(make_vault())


def download_before(admin, _held):
    """A file that was issued at home."""
    installation = Installation.current()
    recorded = installation.place
    Installation.objects.update(place={})
    raw = download(make_vault_to_vault(admin), admin)
    Installation.objects.update(place=recorded)
    return raw


def test_people_are_told_why_nothing_leaves(held, pair_of_vaults):
    source, _target = pair_of_vaults

    with pytest.raises(Refused, match="copy, or in another place"):
        download(make_vault_to_vault(source), source)
    with pytest.raises(Refused, match="copy, or in another place"):
        probing.probe(connection=make_external(source), by=source)
    page = signed_in(source.user).get(reverse("vault:home", args=[source.vault_id])).content.decode()
    assert "started from a copy, or in another place" in page


def test_peers_are_put_off_while_it_is_held(held, client):
    answer = client.post("/v/1001/peering/connect", b"{}", content_type="application/json")

    assert (answer.status_code, answer["Retry-After"]) == (503, "10")


def test_moved_original_goes_on_as_it_was(held, operator, pair_of_vaults):
    source, target = pair_of_vaults
    before = Installation.current().pk
    binding = upload(download_before(source, held), target)

    decide(Decision.MOVED, operator)
    settle()

    assert not place.held()
    assert Installation.current().pk == before
    assert fresh(binding).state == BindingState.APPROVING
    row = trail("installation.moved").get()
    assert row.changes[place.ADDRESS] == ["https://vaults.example.test", "https://copy.example.test"]
    assert row.reason == "Moved to the new server."
    assert Signature.objects.get().signer_name == operator.user.name


@pytest.fixture
def established(home, pair_of_vaults):
    source, target = pair_of_vaults
    binding = upload(download(make_vault_to_vault(source, remote_vault_id=target.vault_id), source), target)
    settle()
    assert fresh(binding).state == BindingState.IN_FORCE
    return fresh(binding)


def test_copy_becomes_an_installation_of_its_own(established, settings, operator, pair_of_vaults, goal):
    source, _target = pair_of_vaults
    authorization = make_authorization(source)
    external = make_external(source, url="https://outside.example.test/", authorization=authorization)
    settings.PLACE_ADDRESS = "https://copy.example.test"
    before, old = Installation.current().pk, certificates.current()

    decide(Decision.SEPARATE, operator)

    assert not place.held()
    assert Installation.current().pk != before
    assert set(Binding.objects.values_list("state", flat=True)) == {BindingState.ENDED}
    for binding in Binding.objects.select_related("connection"):
        record = binding.connection
        assert (record.state, record.remote_vault_id) == (ConnectionState.PENDING, None)
    external.refresh_from_db()
    assert (external.state, external.url, external.url_removed) == (ConnectionState.INACTIVE, "", True)
    authorization.refresh_from_db()
    assert authorization.secret is None
    current = certificates.current()
    assert current.certificate_id > old.certificate_id
    assert SigningCertificate.objects.get(pk=old.pk).private_key is None
    active = Connection.objects.filter(state=ConnectionState.ACTIVE).count()
    kept = Secret.objects.exclude(pk=current.private_key_id).count()
    figure = {"connections active": active, "secrets kept": kept}
    goal("K7").reached(figure=figure, target={"connections active": 0, "secrets kept": 0}, ok=not active and not kept)
    row = trail("installation.separated").get()
    assert row.changes["Installation ID"] == [str(before), str(Installation.current().pk)]


def test_copy_lets_go_of_what_waits_and_of_tokens(held, operator, pair_of_vaults):
    source, target = pair_of_vaults
    upload(download_before(source, held), target)

    decide(Decision.SEPARATE, operator)

    assert not OutgoingPeerMessage.objects.exists()
    assert not Notice.objects.filter(settled_at__isnull=True).exists()
    assert not ApiToken.objects.filter(revoked_at__isnull=True).exists()
    assert not Binding.objects.filter(state__in=[BindingState.PROPOSED, BindingState.APPROVING]).exists()


def test_copy_connects_with_others_under_its_new_identity(established, settings, operator, pair_of_vaults):
    source, target = pair_of_vaults
    settings.PLACE_ADDRESS = "https://copy.example.test"
    decide(Decision.SEPARATE, operator)

    again = upload(download(make_vault_to_vault(source, remote_vault_id=target.vault_id), source), target)
    settle()

    assert fresh(again).state == BindingState.IN_FORCE
    assert fresh(again).peer_installation_id == Installation.current().pk


def test_copy_switches_studies_off_and_ends_their_runs(held, operator, certificate_of_ours):
    mapping = make_mapping()
    run = make_run(mapping)

    decide(Decision.SEPARATE, operator)

    assert not fresh(mapping).is_active
    assert fresh(run).cancel_requested_at is not None


def test_decision_needs_a_domain_administrator_and_something_to_decide(held, operator, settings):
    member = make_member(make_vault(), *Permission)
    with pytest.raises(services.PlaceRefused, match="Domain Administrator"):
        decide(Decision.MOVED, member)

    settings.PLACE_ADDRESS = "https://vaults.example.test"
    with pytest.raises(services.PlaceRefused, match="where it was recorded"):
        decide(Decision.MOVED, operator)


def test_decision_about_another_place_than_was_seen_is_refused(held, operator, settings):
    seen = version_of(services.statement())
    settings.PLACE_ADDRESS = "https://third.example.test"

    with pytest.raises(services.PlaceRefused, match="has changed since you looked"):
        services.decide(
            decision=Decision.MOVED,
            reason="",
            seen_version=seen,
            proof=proof_of(operator),
            by=operator,
            now=clock.now(),
        )

    assert place.held()


def test_page_shows_the_marks_and_takes_the_signed_decision(held, operator):
    browser, url = signed_in(operator.user), reverse("vault:place", args=[operator.vault_id])
    status = browser.get(reverse("vault:status", args=[operator.vault_id])).content.decode()
    assert url in status
    page = browser.get(url).content.decode()
    assert "https://copy.example.test" in page
    fields = {"version": version_of(services.statement()), "decision": "moved", "reason": "New server"}

    assert browser.post(url, fields | {"password": "wrong password"}).status_code == 422
    assert browser.post(url, fields | {"decision": "", "password": PASSWORD}).status_code == 422
    assert place.held()
    assert browser.post(url, fields | {"password": PASSWORD}).status_code == 302
    assert not place.held()
    assert browser.post(url, fields | {"password": PASSWORD}).status_code == 409


def test_page_offers_no_form_to_who_is_no_domain_administrator(held):
    member = make_member(make_vault(), *Permission)

    page = signed_in(member.user).get(reverse("vault:place", args=[member.vault_id])).content.decode()

    assert "Only a Domain Administrator" in page
    assert "Sign and decide" not in page
