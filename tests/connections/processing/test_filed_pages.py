import pytest
from django.urls import reverse

from connections.processing import filing, working
from tests.connections.pages import sign_in
from tests.factories.connections import make_external, make_local
from tests.factories.incoming import make_incoming
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound, make_outbound, put
from vaultadmin import clock
from vaultadmin.permissions import Permission
from vaultadmin.query import PAGE

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(certificate):
    return make_member(make_vault(), *Permission)


@pytest.fixture
def queue(owner):
    return make_inbound(owner, make_local(owner), processor=filing.NAME)


@pytest.fixture
def reader(owner):
    return sign_in(make_member(owner.vault, Permission.MESSAGES_OPERATE))


def arrive(queue, **fields):
    message = make_incoming(queue, queue.connections.get().connection, **fields)
    working.work(now=clock.now)
    return message


def page(reader, queue, **query):
    return reader.get(reverse("connections:filed-messages", args=[queue.vault_id]), query).content.decode()


def test_list_pages_by_key(reader, queue):
    for _ in range(PAGE + 1):
        make_incoming(queue, None)
    working.work(now=clock.now)

    first = page(reader, queue)

    assert first.count("row-title") == PAGE
    assert "before=" in first


@pytest.mark.parametrize("wanted", ["item", "attribute", "id"])
def test_messages_are_found_by_what_they_hold(reader, queue, wanted):
    found = arrive(queue, attributes={"study": "S-7"}, items=["OP0001"])
    other = arrive(queue)
    search = {"item": "OP0001", "attribute": "S-7", "id": str(found.message_id)}[wanted]

    shown = page(reader, queue, q=search)

    assert str(found.message_id) in shown
    assert str(other.message_id) not in shown


def test_receipts_are_told_apart(reader, queue):
    receipt = arrive(queue, attributes={"receipt_for__sys": "x"})
    message = arrive(queue)

    shown = page(reader, queue, kind="receipts")

    assert str(receipt.message_id) in shown
    assert str(message.message_id) not in shown


def test_one_message_shows_who_sent_it_and_masks_what_it_says(reader, queue):
    message = arrive(queue, attributes={"patient": "plum 1005"}, items=["secret item"])

    shown = reader.get(reverse("connections:filed-message", args=[queue.vault_id, message.filed.pk])).content.decode()

    assert "patient" in shown
    assert "Other Vault" in shown
    assert "Reveal content" in shown
    assert "1 item" in shown
    assert "plum" not in shown
    assert "secret item" not in shown


def test_revealed_message_is_shown_where_it_is_read(reader, queue):
    message = arrive(queue, attributes={"patient": "plum 1005"})
    reader.post(reverse("connections:incoming-reveal", args=[queue.vault_id, message.pk]), {"reason": "Query 12"})

    shown = reader.get(reverse("connections:filed-message", args=[queue.vault_id, message.filed.pk])).content.decode()

    assert "plum 1005" in shown


def test_receipt_leads_to_the_message_it_is_for(reader, queue, owner):
    out = make_outbound(owner, make_external(owner))
    [sent] = put(out, owner).copies
    receipt = arrive(queue, attributes={"receipt_for__sys": str(sent.message_id)})

    shown = reader.get(reverse("connections:filed-message", args=[queue.vault_id, receipt.filed.pk])).content.decode()

    assert reverse("connections:message", args=[queue.vault_id, sent.message_id]) in shown
    assert reverse("connections:incoming", args=[queue.vault_id, receipt.pk]) in shown


def test_message_that_is_no_longer_kept_says_so(reader, queue, now):
    message = arrive(queue)
    message.refresh_from_db()
    message.body, message.body_removed_at = "", now
    message.save()

    shown = reader.get(reverse("connections:filed-message", args=[queue.vault_id, message.filed.pk])).content.decode()

    assert "The content was removed" in shown


def test_people_of_another_vault_find_nothing(queue):
    message = arrive(queue)
    stranger = sign_in(make_member(make_vault(), Permission.MESSAGES_OPERATE))

    assert (
        stranger.get(reverse("connections:filed-message", args=[queue.vault_id, message.filed.pk])).status_code == 404
    )
