from __future__ import annotations

import threading
from datetime import timedelta
from enum import StrEnum

import pytest
from django.db import connection
from django.db.models import Count, Q

from connections.constants import ConnectionType
from connections.models import Connection, Queue
from tests.factories.connections import make_external, make_local
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_outbound, make_spark_admin
from vaultadmin import clock
from vaultadmin.models import Membership, Vault
from vaultadmin.permissions import Permission
from vaultadmin.standing import standing, standing_for
from vaultadmin.together import answer, rows_of

pytestmark = pytest.mark.django_db


class Word(StrEnum):
    ONE = "Vault one"


@pytest.fixture
def asked():
    return []


@pytest.fixture
def members_of(asked):
    @standing
    def question(is_active, *, vault, since):
        asked.append(is_active)
        rows = Membership.objects.filter(vault=vault, created_at__gte=since, is_active=is_active)
        return rows.select_related("user", "vault").order_by("pk")

    return question


@pytest.fixture
def queues_seen():
    @standing_for
    def question(member, *, not_in):
        return Queue.objects.visible_to(member).filter(~Q(pk=not_in)).order_by("pk")

    return question


def test_rows_are_those_of_the_values_each_time(members_of, asked):
    mine, other = make_member(make_vault()), make_member(make_vault())
    long_ago, never = clock.now() - timedelta(days=1), clock.now() + timedelta(days=1)

    assert answer(rows_of(members_of(True, vault=mine.vault_id, since=long_ago))) == [mine]
    assert answer(rows_of(members_of(True, vault=other.vault_id, since=long_ago))) == [other]
    assert answer(rows_of(members_of(True, vault=other.vault_id, since=never))) == []
    assert answer(rows_of(members_of(False, vault=mine.vault_id, since=long_ago))) == []
    assert asked == [True, False]


def test_related_rows_come_along_and_belong_to_nobody_else(members_of, django_assert_num_queries):
    mine, other = make_member(make_vault()), make_member(make_vault())
    since = clock.now() - timedelta(days=1)

    with django_assert_num_queries(2):
        first, again = (answer(rows_of(members_of(True, vault=one.vault_id, since=since)))[0] for one in (mine, other))
        assert (first.user.name, first.vault) == (mine.user.name, mine.vault)
        assert (again.user.name, again.vault) == (other.user.name, other.vault)


def test_members_are_shown_what_their_own_permissions_let_them_see(queues_seen):
    admin, stranger = make_spark_admin(), make_spark_admin()
    powerless = make_member(admin.vault, Permission.CONNECTION_READ)
    gone = make_spark_admin(admin.vault)
    Membership.objects.filter(pk=gone.pk).update(is_active=False)
    mine, second, theirs = make_outbound(admin), make_outbound(admin), make_outbound(stranger)
    gone = Membership.objects.for_request().get(pk=gone.pk)

    assert answer(rows_of(queues_seen(admin, not_in=second.pk))) == [mine]
    assert answer(rows_of(queues_seen(stranger, not_in=second.pk))) == [theirs]
    assert answer(rows_of(queues_seen(powerless, not_in=second.pk))) == []
    assert answer(rows_of(queues_seen(gone, not_in=second.pk))) == []


def test_nothing_else_of_a_member_can_be_looked_at():
    @standing_for
    def question(member):
        return Vault.objects.filter(pk=member.vault.pk)

    with pytest.raises(AttributeError):
        question(make_member(make_vault()))


def test_null_is_no_value(members_of):
    with pytest.raises(TypeError, match="vault"):
        members_of(True, vault=None, since=clock.now())


def test_words_of_an_enumeration_are_its_values():
    made = make_vault(name="Vault one")

    @standing
    def question(*, name):
        return Vault.objects.filter(name=name).values_list("pk", flat=True)

    assert answer(rows_of(question(name=Word.ONE))) == [made.pk]


def test_numbers_beyond_every_key_find_nothing(members_of):
    assert answer(rows_of(members_of(True, vault=10**30, since=clock.now()))) == []


def test_values_stand_in_subqueries_and_sums():
    admin = make_spark_admin()
    make_local(admin)
    make_external(admin)

    @standing
    def question(*, vault, type):
        rows = Connection.objects.filter(vault__in=Vault.objects.filter(pk=vault).values("pk")).order_by()
        return rows.values_list("vault").annotate(number=Count("pk"), some=Count("pk", filter=Q(type=type)))

    assert answer(rows_of(question(vault=admin.vault_id, type=ConnectionType.LOCAL))) == [(admin.vault_id, 2, 1)]


@pytest.mark.django_db(transaction=True)
def test_threads_share_the_words_and_not_the_connection(members_of, asked):
    mine = make_member(make_vault())
    since, found = clock.now() - timedelta(days=1), []

    def ask():
        found.append(answer(rows_of(members_of(True, vault=mine.vault_id, since=since))))
        connection.close()

    ask()
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert found == [[mine]] * 3
    assert asked == [True]
