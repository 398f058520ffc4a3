import json

import pytest
from django.test import Client

from connections.constants import CopyState, IncomingState
from connections.delivery import draining
from connections.models import Connection, FiledMessage, IncomingMessage, MessageCopy, Queue
from connections.processing import working
from connections.services import standard
from tests.connections.remote_peer import RemotePeer, key_of_another_installation
from tests.connections.spark_peer import SparkLetter
from tests.factories.connections import make_certificate, make_local, shared_key
from tests.factories.people import make_member, make_user, make_vault
from vaultadmin import clock
from vaultadmin.models import Vault
from vaultadmin.permissions import Permission
from vaultadmin.site.demo import links, people, traffic, world

pytestmark = pytest.mark.django_db


@pytest.fixture
def vaults():
    """The demo's vaults with its administrator, as far as its messages need them."""
    make_certificate()
    user = make_user(email=world.ADMIN.email)
    for entry in world.VAULTS[:6]:
        vault = make_vault(id=entry.id, dns=entry.dns, application=entry.application)
        make_member(vault, *Permission, user=user)
        standard.load(vault, by=standard.CATALOGUE, now=clock.now())
    make_local(people.member(world.ADMIN, 1001), api_name="local_jobs")
    make_member(Vault.objects.get(pk=1001), user=make_user(email=world.INTEGRATION.email))
    links._established(clock.now())
    links._standard(clock.now())


def test_demo_has_traffic_both_ways_once(vaults, settings):
    settings.OUTBOUND_RESOLVE = ""
    for _ in range(2):
        traffic.load(now=clock.now())
    queues, copies = Queue.objects.count(), MessageCopy.objects.count()

    for _ in range(3):
        draining.drain()
        working.work(now=clock.now)
    traffic.load(now=clock.now())

    assert (Queue.objects.count(), MessageCopy.objects.count()) == (queues, copies + 9)
    for vault, noun in ((1001, "receipts"), (1004, "receipts"), (1006, "receipts"), (1001, "subjects")):
        assert FiledMessage.objects.filter(vault=vault, message__queue__name=f"{noun}_in__c").count() == 3
    assert IncomingMessage.objects.filter(vault=1002, state=IncomingState.PROCESSED).count() == 3
    assert IncomingMessage.objects.get(queue__name="site_letters_in__c").last_error.startswith("No active outbound")
    assert set(held_states("registrations__c")) == {CopyState.WAITING}


def held_states(name):
    return MessageCopy.objects.filter(queue__name=name).values_list("state", flat=True)


def test_connection_people_took_apart_is_left_alone(vaults):
    Connection.objects.filter(standard_key="clinops_edc").update(state="inactive_state__sys")

    traffic.load(now=clock.now())

    assert not Queue.objects.filter(name="studies_out__c").exists()
    assert Queue.objects.filter(name="batches_out__c").exists()


class ToTheDemo(SparkLetter):
    path, url = "/demo/receiver", world.RECEIVER_URL


@pytest.mark.parametrize(("own", "status"), [(True, 200), (False, 401)])
def test_receiver_of_the_demo_verifies(own, status):
    make_certificate()
    key = shared_key() if own else key_of_another_installation()
    letter = ToTheDemo(RemotePeer(1001, key=key), None)

    answer = Client(enforce_csrf_checks=True).generic(
        "POST", letter.path, letter.raw(), content_type="application/json", headers=letter.headers()
    )

    assert answer.status_code == status
    if own:
        assert json.loads(answer.content) == {"accepted": str(letter.message_id)}


def test_receiver_of_the_demo_takes_posts_of_messages_only(db):
    assert Client().get("/demo/receiver").status_code == 405
    assert Client().post("/demo/receiver").status_code == 401
