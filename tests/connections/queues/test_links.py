import pytest

from connections.models import Lane, QueueConnection
from connections.services.messages import queue_links, queues
from connections.services.refusals import Refused
from connections.spark.message import PutError
from tests.factories.connections import make_admin, make_external, make_local, make_vault_to_vault
from tests.factories.people import make_member
from tests.factories.spark import make_inbound, make_link, make_outbound, put
from vaultadmin import audit, clock
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


def edit(link, by, **fields):
    values = {name: getattr(link, name) for name in ("label", "is_active", "deliver_to_queue")} | fields
    return queue_links.edit(link=link, by=by, now=clock.now(), **values)


def remove(link, by):
    queue_links.remove(link=link, by=by, now=clock.now())


def events(queue):
    return [row.event for row in audit.history(queue)]


def test_connection_of_an_outbound_queue_has_a_lane(admin, outbound, rtsm):
    link = QueueConnection.objects.get()

    assert (link.queue, link.connection, link.is_active) == (outbound, rtsm, True)
    assert Lane.objects.get().stopped_since is None
    assert "queue.connected" in events(outbound)


def test_connection_added_while_delivery_is_disabled_stands_still(admin, itself, inbound):
    queue = make_outbound(admin)
    queues.set_delivery(queue=queue, enabled=False, by=admin, now=clock.now())

    make_link(queue, itself, admin, deliver_to=inbound.name)

    assert Lane.objects.get().stopped_since is not None


def test_lane_of_a_connection_that_is_not_active_stands_still(admin):
    make_link(make_outbound(admin), make_vault_to_vault(admin), admin, deliver_to="in__c")

    assert Lane.objects.get().stopped_since is not None


def test_connection_belongs_to_a_queue_once(admin, outbound, rtsm):
    with pytest.raises(Refused, match="belongs to this queue already") as refusal:
        make_link(outbound, rtsm, admin)

    assert refusal.value.field == "connection"


def test_foreign_connection_is_refused(admin, outbound):
    with pytest.raises(Refused, match="connection of this Vault"):
        make_link(outbound, make_external(make_admin()), admin)


def test_job_queue_has_no_connections(admin, rtsm):
    with pytest.raises(Refused, match="job queue has no connections"):
        make_link(make_outbound(admin, type="job"), rtsm, admin)


def test_external_connection_feeds_no_inbound_queue(inbound, admin, rtsm):
    with pytest.raises(Refused, match="takes from Vault to Vault and Local"):
        make_link(inbound, rtsm, admin)


def test_external_and_inbound_deliver_to_no_queue(admin, inbound):
    queue = make_outbound(admin)

    for target, connection in ((queue, make_external(admin)), (inbound, make_local(admin))):
        with pytest.raises(Refused, match="no queue on the other side") as refusal:
            make_link(target, connection, admin, deliver_to="in__c")
        assert refusal.value.field == "deliver_to_queue"


@pytest.mark.parametrize("name", ["", "in", "In__c", "in-1__c"])
def test_vault_to_vault_needs_the_name_of_a_queue(admin, name):
    with pytest.raises(Refused, match="Deliver to Queue") as refusal:
        make_link(make_outbound(admin), make_vault_to_vault(admin), admin, deliver_to=name)

    assert refusal.value.field == "deliver_to_queue"


def test_local_delivers_to_an_inbound_queue_of_this_vault(admin, itself, inbound, filing):
    queue = make_outbound(admin, name="out__c")
    make_inbound(make_member(make_admin().vault, Permission.SPARK_QUEUES), processor=filing, name="elsewhere__c")

    for name in ("elsewhere__c", "out__c", "missing__c"):
        with pytest.raises(Refused, match="no inbound queue of this name"):
            make_link(queue, itself, admin, deliver_to=name)

    assert make_link(queue, itself, admin, deliver_to=inbound.name).deliver_to_queue == inbound.name


def test_inactive_connection_gets_no_new_messages_and_keeps_those_it_has(admin, outbound):
    put(outbound, admin)

    edit(QueueConnection.objects.get(), admin, is_active=False)

    assert put(outbound, admin).error is PutError.NO_ACTIVE_CONNECTION
    assert outbound.copies.get().state == "waiting"
    assert Lane.objects.get().stopped_since is not None


def test_edit_is_recorded_and_nothing_when_nothing_changed(admin, outbound):
    link = edit(QueueConnection.objects.get(), admin, label="Trial supply")
    edit(link, admin)

    assert str(link) == "Trial supply"
    assert events(outbound).count("queue.connection_edited") == 1


def test_edit_of_what_somebody_changed_meanwhile_is_refused(admin, outbound):
    link = QueueConnection.objects.get()
    edit(link, admin, label="First")

    with pytest.raises(Refused, match="Somebody changed this connection"):
        edit(link, admin, label="Second", seen=link.modified_at)


def test_long_label_is_refused(admin, outbound):
    with pytest.raises(Refused, match="60 characters"):
        edit(QueueConnection.objects.get(), admin, label="x" * 61)


def test_connection_with_waiting_messages_cannot_be_removed(admin, outbound):
    put(outbound, admin)
    link = QueueConnection.objects.get()

    with pytest.raises(Refused, match="still wait for this connection"):
        remove(link, admin)
    outbound.copies.update(state="delivered", due_at=None, settled_at=clock.now())
    remove(link, admin)

    assert not QueueConnection.objects.exists()
    assert "queue.disconnected" in events(outbound)


def test_removed_connection_cannot_be_removed_or_edited_again(admin, outbound):
    link = QueueConnection.objects.get()
    remove(link, admin)

    for act in (lambda: remove(link, admin), lambda: edit(link, admin, label="Other")):
        with pytest.raises(Refused, match="Somebody took this connection"):
            act()


def test_queue_connections_are_the_queue_administrators(admin, outbound, rtsm):
    somebody, link = make_member(admin.vault, Permission.MANAGE_CONNECTIONS), QueueConnection.objects.get()

    for act in (
        lambda: make_link(outbound, make_external(admin), somebody),
        lambda: edit(link, somebody, label="Other"),
        lambda: remove(link, somebody),
    ):
        with pytest.raises(PermissionRefused):
            act()
