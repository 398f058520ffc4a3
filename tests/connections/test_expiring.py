from datetime import timedelta

import pytest
from django.test import Client

from connections import signed_json
from connections.home import certificates as home_certificates
from connections.models import Binding, PeerCertificate
from connections.selectors import expiring
from tests.connections.handshake import decide
from tests.connections.pages import sign_in
from tests.connections.remote_peer import RemotePeer, post
from tests.connections.rollovers import days, established
from tests.factories.people import make_member
from vaultadmin import clock, registries
from vaultadmin.permissions import Permission
from vaultadmin.registries import Expiring
from vaultadmin.together import answer, known

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_force(pair):
    """A connection with a vault of another installation, of which only the connection file told a certificate."""
    client, peer, source = Client(enforce_csrf_checks=True), RemotePeer(vault_id=77), pair.source_record()
    post(client, peer.connect(pair.file(connection=source)))
    binding = Binding.objects.get(connection=source)
    decide(binding, pair.source_approver, words_compared=True)
    post(client, peer.decide(binding))
    return Binding.objects.get(pk=binding.pk)


def announce(binding, number, *, ends):
    return PeerCertificate.objects.create(
        binding=binding,
        certificate_id=number,
        pem="PEM",
        fingerprint=number * 12,
        not_before=clock.now(),
        not_after=ends,
        in_use_from=clock.now(),
        added_at=clock.now(),
    )


def shown(member, moment):
    return [
        (one.label, one.at) for one in answer(expiring.soon(member, now=moment)) if one.kind == "Certificate of a peer"
    ]


def test_end_of_the_certificate_is_kept_with_the_exchange(in_force):
    pinned = signed_json.read_certificate(in_force.peer_certificate_pem)

    assert in_force.peer_certificate_not_after == pinned.not_valid_after_utc


def test_certificate_known_from_a_file_only_is_shown_ahead_of_its_end(pair, in_force):
    ends = in_force.peer_certificate_not_after

    assert shown(pair.source_admin, ends - days(91)) == []
    assert shown(pair.source_admin, ends - days(89)) == [("Other", ends)]
    assert shown(pair.source_admin, ends + days(1)) == [("Other", ends)]


def test_announced_certificate_that_lives_on_ends_the_worry(pair, in_force):
    ends = in_force.peer_certificate_not_after
    announce(in_force, "00002", ends=ends + timedelta(days=1000))

    assert shown(pair.source_admin, ends - days(1)) == []
    assert shown(pair.source_admin, ends + days(999)) == [("Other", ends + days(1000))]


def test_retired_certificate_counts_no_more(pair, in_force):
    ends = in_force.peer_certificate_not_after
    announce(in_force, in_force.peer_certificate_id, ends=ends)
    announce(in_force, "00002", ends=ends - days(100))
    PeerCertificate.objects.filter(certificate_id=in_force.peer_certificate_id).update(retired_at=clock.now())

    assert shown(pair.source_admin, ends - days(150)) == [("Other", ends - days(100))]


def test_vaults_of_this_installation_are_no_worry(pair):
    _source, target = established(pair)
    binding = Binding.objects.get(connection=target)

    assert shown(pair.target_admin, binding.peer_certificate_not_after - days(1)) == []


def test_certificate_is_shown_to_nobody_who_sees_no_connections(pair, in_force):
    auditor = make_member(pair.source, Permission.ADMIN_AUDIT)

    assert shown(auditor, in_force.peer_certificate_not_after) == []


def test_apps_add_what_of_theirs_ends(pair, monkeypatch):
    now = clock.now()
    theirs = Expiring("Secret of an external system", "mv-ext", now + days(2), True, "Use the newer one.", "/there/")
    monkeypatch.setattr(registries, "expiring", [lambda member, moment: known([theirs])])

    card = answer(home_certificates.cards(pair.source_admin))[1]
    page = sign_in(pair.source_admin).get(f"/v/{pair.source.pk}/admin/certificates/").content.decode()

    assert "mv-ext" in card.sentence
    assert "Use the newer one." in page
