from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from connections.constants import BindingState
from connections.models import Alert, Binding, MessageCopy
from connections.processing import filing
from connections.services import clients, stats
from connections.services.messages import alerts, holding
from connections.services.messages.alerts import Wanted
from tests.connections.handshake import decide, other_side, settle, upload
from tests.connections.pages import address, sign_in
from tests.connections.test_deciding_in_place import assign, lend
from tests.factories.connections import (
    make_authorization,
    make_external,
    make_integration,
    make_local,
    make_lookup,
    make_point,
    make_token,
    make_vault_to_vault,
)
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_inbound, make_outbound, put
from vaultadmin import clock
from vaultadmin.models import Membership, Vault, VaultSettings
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db

MOST = 8


def make_owner(vault=None) -> Membership:
    return Membership.objects.for_request().get(pk=make_member(vault or make_vault(), *Permission).pk)


@pytest.fixture
def owner(certificate) -> Membership:
    return make_owner()


def external(owner):
    make_token(owner, name="region")
    return make_external(owner, url="https://${Vault.region}.example.com/", authorization=make_authorization(owner))


def local(owner):
    make_inbound(owner, processor=filing.NAME, name="arrivals__c")
    return make_local(owner)


def fill(owner, connection, amount):
    now = clock.now()
    for number in range(amount):
        queue = make_outbound(owner, connection, deliver_to="" if connection.is_external else "arrivals__c")
        put(queue, owner, now=now)
        clients.add(connection=connection, name="", client_id=f"c{connection.pk}-{queue.pk}", by=owner, now=now)
        rule = alerts.create(
            wanted=Wanted("backlog", threshold=10), by=owner, now=now, queue=queue, connection=connection
        )
        Alert.objects.create(vault=owner.vault, rule=rule, opened_at=now, reason="Too long")
        holding.hold(reason="Look first", by=owner, now=now, connection=connection, queue=queue)
        stats.count(connection.pk, at=now - timedelta(days=number), sent=1)
        if connection.is_vault_to_vault:
            make_point(make_integration(connection))
            make_lookup(connection, source_key=f"U.{queue.pk}")


@pytest.mark.parametrize("make", [make_vault_to_vault, external, local])
def test_record_asks_as_much_for_many_rows_as_for_few(owner, make, django_assert_max_num_queries):
    connection = make(owner)
    browser = sign_in(owner)
    fill(owner, connection, 1)
    browser.get(address(connection))

    with django_assert_max_num_queries(MOST) as few:
        assert "Look first" in browser.get(address(connection)).content.decode()
    fill(owner, connection, 5)
    with django_assert_max_num_queries(len(few)):
        assert browser.get(address(connection)).status_code == 200


@pytest.mark.parametrize("is_sandbox", [False, True])
def test_record_on_its_way_asks_no_more(pair, is_sandbox, django_assert_max_num_queries):
    Vault.objects.filter(pk=pair.target.pk).update(is_sandbox=is_sandbox)
    VaultSettings.objects.create(vault=pair.target)
    target = make_owner(pair.target)
    binding = upload(pair.file(), pair.target_admin)
    assign(binding, pair.target_approver)
    lend(pair.target_approver, target)
    browser, path = sign_in(target), address(binding.connection)
    browser.get(path)

    with django_assert_max_num_queries(MOST):
        assert "may decide for them" in browser.get(path).content.decode()
    Binding.objects.filter(pk=binding.pk).update(state=BindingState.PROPOSED)
    with django_assert_max_num_queries(MOST):
        assert "has not answered yet" in browser.get(path).content.decode()


def test_established_record_asks_no_more(pair, django_assert_max_num_queries):
    target = make_owner(pair.target)
    binding = upload(pair.file(), pair.target_admin)
    decide(binding, pair.target_approver)
    settle()
    decide(other_side(binding), pair.source_approver)
    settle()
    browser, path = sign_in(target), address(binding.connection)
    browser.get(path)

    with django_assert_max_num_queries(MOST):
        page = browser.get(path).content.decode()

    assert "Certificates of the other Vault" in page
    assert "Both connection records became Active." in page


@pytest.mark.parametrize("make", [make_vault_to_vault, external, local])
def test_pages_of_queues_and_messages_ask_no_more(owner, make, django_assert_max_num_queries):
    connection, browser = make(owner), sign_in(owner)
    fill(owner, connection, 3)
    copy = MessageCopy.objects.filter(connection=connection)[0]
    for name, *args in (("queue", copy.queue.name), ("messages",), ("message", copy.message_id), ("queue-log",)):
        path = reverse(f"connections:{name}", args=[owner.vault_id, *args])
        browser.get(path)

        with django_assert_max_num_queries(MOST):
            assert browser.get(path).status_code == 200
