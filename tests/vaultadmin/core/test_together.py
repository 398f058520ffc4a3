from __future__ import annotations

import pytest
from django.db import transaction
from django.db.models import Count, Value

from tests.factories.people import make_member, make_vault
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent, Heartbeat, Membership, SecurityProfile, User, Vault
from vaultadmin.together import answer, known, rows_of, together

pytestmark = pytest.mark.django_db


@pytest.fixture
def member() -> Membership:
    member = make_member(make_vault(name='Quote " comma , (bracket) \\ and\nline é'))
    with transaction.atomic():
        audit.record(vault=member.vault, by=member, event="thing.changed", reason="")
    Heartbeat.objects.create(name="beat", at=clock.now())
    return member


QUESTIONS = {
    "vaults": lambda: Vault.objects.order_by("pk"),
    "members with their people": lambda: Membership.objects.for_request().order_by("pk"),
    "profiles with lists": lambda: SecurityProfile.objects.order_by("pk"),
    "events with JSON": lambda: AuditEvent.objects.order_by("pk"),
    "moments": lambda: Heartbeat.objects.values_list("name", "at"),
    "flat keys": lambda: User.objects.order_by("-pk").values_list("pk", flat=True)[:3],
    "counts": lambda: Vault.objects.order_by("pk").values_list("application").annotate(number=Count("pk")),
    "annotations": lambda: Vault.objects.annotate(told=Value("yes")).order_by("pk"),
    "nothing": lambda: Vault.objects.none(),
    "no rows": lambda: Vault.objects.filter(name="nobody"),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_rows_are_those_django_reads(member, name):
    question = QUESTIONS[name]()

    [found, _] = answer(together([rows_of(question), rows_of(User.objects.order_by("pk"))]))

    assert [_plain(row) for row in found] == [_plain(row) for row in question.all()]


def _plain(row):
    return {key: value for key, value in vars(row).items() if key != "_state"} if hasattr(row, "_state") else row


def test_related_rows_come_along(member, django_assert_num_queries):
    with django_assert_num_queries(1):
        [found] = answer(rows_of(Membership.objects.select_related("user", "vault").filter(pk=member.pk)))
        assert (found.user.email, found.vault.name) == (member.user.email, member.vault.name)


def test_what_is_asked_at_one_step_is_one_statement(member, django_assert_num_queries):
    def later():
        (vaults,) = yield (Vault.objects.all(),)
        members, people = yield Membership.objects.filter(vault__in=vaults), User.objects.all()
        return len(members), len(people)

    with django_assert_num_queries(2):
        counts, vaults, word = answer(together([later(), rows_of(Vault.objects.all()), known("word")]))

    assert counts == (Membership.objects.count(), User.objects.count())
    assert (len(vaults), word) == (Vault.objects.count(), "word")


def test_what_several_ask_is_asked_once(member, django_assert_num_queries):
    with django_assert_num_queries(1) as asked:
        first, second = answer(together([rows_of(Vault.objects.all()), rows_of(Vault.objects.all())]))

    assert first == second
    assert asked.captured_queries[0]["sql"].count('FROM "vaultadmin_vault"') == 1


def test_nothing_asked_takes_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert answer(together([known(1), rows_of(Vault.objects.none())])) == [1, []]
