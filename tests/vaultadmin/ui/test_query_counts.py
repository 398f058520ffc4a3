from __future__ import annotations

import pytest
from django.db import transaction

from tests.factories.connections import make_certificate, make_external
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_outbound
from tests.guards.world import signed_in
from vaultadmin import audit, clock
from vaultadmin.models import Heartbeat, Membership
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db

LISTS = [
    "admin/connections/",
    "admin/authorizations/",
    "admin/queues/",
    "admin/tokens/",
    "admin/audit/",
    "admin/users/",
    "tasks/",
]
MOST = 6
MOST_OF_A_HOME = 8


@pytest.fixture
def owner() -> Membership:
    make_certificate()
    Heartbeat.objects.create(name="beat", at=clock.now())
    return Membership.objects.for_request().get(pk=make_member(make_vault(), *Permission).pk)


def fill(owner, amount):
    for number in range(amount):
        make_outbound(owner, make_external(owner, name=f"Connection {number}"))
        make_member(owner.vault)
        with transaction.atomic():
            audit.record(vault=owner.vault, by=owner, event="thing.changed")


@pytest.mark.parametrize("path", LISTS)
def test_lists_ask_as_much_for_many_rows_as_for_few(owner, path, django_assert_max_num_queries):
    browser, address = signed_in(owner.user), f"/v/{owner.vault_id}/{path}"
    fill(owner, 3)
    browser.get(address)

    with django_assert_max_num_queries(MOST) as few:
        assert browser.get(address).status_code == 200
    fill(owner, 40)
    with django_assert_max_num_queries(len(few)):
        assert browser.get(address).status_code == 200


def test_home_asks_as_much_for_many_rows_as_for_few(owner, django_assert_max_num_queries):
    browser, address = signed_in(owner.user), f"/v/{owner.vault_id}/"
    fill(owner, 1)
    browser.get(address)

    with django_assert_max_num_queries(MOST_OF_A_HOME):
        assert browser.get(address).status_code == 200
    fill(owner, 10)
    with django_assert_max_num_queries(MOST_OF_A_HOME):
        assert b"Latest changes by people" in browser.get(address).content
