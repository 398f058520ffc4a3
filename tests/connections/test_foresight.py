import pytest

from connections import foresight
from connections.foresight import Acting, Effect, Key, Peer, Record, Request
from connections.selectors import foresight as selector
from connections.selectors.foresight import plan_of, since_last_agreement
from connections.services import editing
from connections.services.handshake import exchange
from tests.connections.handshake import decide, fresh, other_side, settle, upload
from tests.factories.people import make_member, make_vault
from vaultadmin import clock
from vaultadmin.models import VaultSettings
from vaultadmin.permissions import Permission
from vaultadmin.signing.services import version_of
from vaultadmin.strict_json import canonical
from vaultadmin.worklist.holding import own_requests_allowed

KEY = Key("00001", "ab" * 32, "1 Jan 2026", "1 Jan 2029")
ACTING = Acting("Ina", "ina@example.test", "Integration User", True, ["API: Access API"])


def build(**changes):
    facts = {
        "record": Record("V17000000000001", "Link", "link", KEY),
        "request": Request("e", "f", "six words", "Ana", "Bo", own_requests_allowed=False),
        "peer": Peer("i", True, 1002, "Beta", "beta.test", "", "Safety", "V1", "https://beta.test/", KEY),
        "acting": ACTING,
        "effects": [Effect("Queue", "b"), Effect("Queue", "a")],
    }
    return foresight.build(**(facts | changes))


def test_same_facts_give_the_same_bytes_in_any_order():
    turned = build(effects=[Effect("Queue", "a"), Effect("Queue", "b")])

    assert canonical(build()) == canonical(turned)


@pytest.mark.parametrize(
    "change",
    [
        {"acting": None},
        {"acting": Acting("Ina", "ina@example.test", "Integration User", True, [])},
        {"acting": Acting("Ina", "ina@example.test", "Integration User", False, ACTING.permissions)},
        {"effects": []},
        {"record": Record("V17000000000001", "Link", "other", KEY)},
        {"peer": Peer("i", False, 1002, "Beta", "beta.test", "", "Safety", "V1", "https://beta.test/", KEY)},
    ],
)
def test_every_fact_changes_the_hash_and_is_seen_as_a_difference(change):
    changed = build(**change)

    assert version_of(changed) != version_of(build())
    assert foresight.compare(build(), changed)


def test_nothing_differs_between_equal_plans():
    assert foresight.compare(build(), build()) == []


def test_what_belongs_to_one_exchange_only_is_no_lasting_difference():
    later = build(request=Request("e2", "f2", "other words", "Cy", "Di", own_requests_allowed=False))

    assert foresight.compare(build(), later, lasting=True) == []
    assert foresight.compare(build(), later)


def test_permissions_of_the_acting_user_are_told_in_words():
    lines = {line.label: line for line in foresight.lines(build())}

    assert lines["Acts here as"].value == "Ina <ina@example.test>"
    assert lines["Permissions"].items == ("API: Access API",)


def test_nobody_acting_is_told():
    assert any("Nobody" in line.value for line in foresight.lines(build(acting=None)))


@pytest.mark.django_db
def test_plan_tells_who_acts_here_and_what_starts(pair, monkeypatch):
    binding = upload(pair.file(), pair.target_admin)
    editing.edit(
        connection=binding.connection,
        changes={"authorized_user": make_member(pair.target, Permission.API_ACCESS)},
        by=pair.target_admin,
        now=clock.now(),
    )
    monkeypatch.setattr(selector, "sources", [lambda connection: [Effect("Queue", f"{connection.api_name}__c")]])

    plan = plan_of(fresh(binding))

    assert plan["acts_here"]["permissions"] == [Permission.API_ACCESS.label]
    assert plan["starts"] == [{"kind": "Queue", "name": f"{binding.connection.api_name}__c", "text": ""}]
    assert plan["peer"]["vault_id"] == pair.source.pk
    assert len(plan["peer"]["certificate"]["fingerprint"]) == 64


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda pair, member: type(member.profile).objects.filter(pk=member.profile_id).update(permissions=[]),
        lambda pair, member: type(member).objects.filter(pk=member.pk).update(is_active=False),
        lambda pair, member: type(member.user).objects.filter(pk=member.user_id).update(name="Renamed"),
    ],
)
def test_changing_what_the_acting_user_may_do_changes_the_version(pair, change):
    member = make_member(pair.target, Permission.API_ACCESS)
    binding = upload(pair.file(), pair.target_admin)
    editing.edit(
        connection=binding.connection, changes={"authorized_user": member}, by=pair.target_admin, now=clock.now()
    )
    before = exchange.version_of(fresh(binding))

    change(pair, member)

    assert exchange.version_of(fresh(binding)) != before


@pytest.mark.django_db
def test_difference_from_what_was_agreed_last(pair):
    first = upload(pair.file(), pair.target_admin)
    assert since_last_agreement(first, plan_of(first)) is None
    decide(first, pair.target_approver)
    decide(other_side(first), pair.source_approver)
    settle()
    assert fresh(first).agreed == plan_of(fresh(first))

    source = other_side(first).connection
    source.bindings.all()
    fresh_source = fresh(source)
    fresh_source.reset()
    fresh_source.save()
    source.bindings.model.objects.filter(connection=source).delete()
    editing.edit(
        connection=first.connection,
        changes={"authorized_user": pair.target_admin},
        by=pair.target_admin,
        now=clock.now(),
    )
    again = upload(pair.file(connection=fresh(source)), pair.target_admin, fresh(first.connection))

    changed = {row.label for row in since_last_agreement(again, plan_of(again))}
    assert changed == {"Acts here as", "Security profile", "Permissions"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sandbox", "setting", "allowed"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_own_requests_are_allowed_in_sandboxes_that_say_so_only(sandbox, setting, allowed):
    vault = make_vault(is_sandbox=sandbox)
    VaultSettings.objects.create(vault=vault, own_requests=setting)

    assert own_requests_allowed(vault) is allowed


@pytest.mark.django_db
def test_requester_may_decide_in_a_sandbox_that_allows_it_and_it_is_told(pair):
    pair.target.is_sandbox = True
    pair.target.save()
    VaultSettings.objects.create(vault=pair.target, own_requests=True)
    binding = upload(pair.file(), pair.target_admin)

    decide(fresh(binding), pair.target_admin)

    assert fresh(binding).own_request_decided
    lines = [line.label for line in foresight.lines(fresh(binding).local_signature.statement)]
    assert "Deciding one's own request" in lines
