from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection as database
from django.db import transaction

from connections.models import Connection
from ecoa.models import StudyMapping
from tests.factories.connections import make_admin, make_certificate, make_local
from tests.factories.ecoa import make_mapping, make_participants, make_run, make_site
from tests.factories.people import make_member, make_user, make_vault
from tests.factories.sandboxes import BY, make_keeper, make_sandbox, request_sandbox
from vaultadmin import claims, clock
from vaultadmin.models import (
    ApiToken,
    AuditEvent,
    Membership,
    Sandbox,
    SandboxLink,
    SandboxState,
    SecurityProfile,
    Vault,
    VaultSettings,
)
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.sandboxes import building, links, registry, services
from vaultadmin.services import tokens


@pytest.fixture(autouse=True)
def certificate(db):
    return make_certificate()


@pytest.fixture
def keeper():
    return make_keeper()


def fresh(sandbox: Sandbox) -> Sandbox:
    return Sandbox.objects.select_related("vault", "source").get(pk=sandbox.pk)


def ask_refresh(sandbox, keeper, *, hours=25, **fields):
    values = {"confirmation": sandbox.vault.name, "with_people": True, "now": clock.now() + timedelta(hours=hours)}
    return services.refresh(sandbox=sandbox, by=keeper, **(values | fields))


def test_a_sandbox_is_a_vault_of_the_same_application_with_a_source(keeper):
    sandbox = make_sandbox(keeper)

    assert sandbox.state == SandboxState.ACTIVE
    assert (sandbox.vault.is_sandbox, sandbox.vault.source_vault) == (True, keeper.vault)
    assert sandbox.vault.application == keeper.vault.application
    assert sandbox.vault.dns == "trying-out.example.test"


def test_nobody_sees_a_sandbox_that_is_not_built(keeper):
    sandbox = request_sandbox(keeper)

    assert sandbox.state == SandboxState.BUILDING
    assert not Membership.objects.filter(vault=sandbox.vault).exists()
    assert sandbox.vault not in Vault.objects.visible_to_user(keeper.user)


def test_people_have_their_profiles_in_the_copy(keeper):
    member = make_member(keeper.vault, Permission.ADMIN_AUDIT)
    away = make_member(keeper.vault)
    Membership.objects.filter(pk=away.pk).update(is_active=False)

    sandbox = make_sandbox(keeper)

    copy = Membership.objects.select_related("profile").get(vault=sandbox.vault, user=member.user)
    assert (copy.profile.vault_id, copy.profile.permissions) == (sandbox.pk, ["admin_audit"])
    assert not Membership.objects.get(vault=sandbox.vault, user=away.user).is_active


def test_without_people_only_who_asked_is_in_it(keeper):
    make_member(keeper.vault, Permission.ADMIN_AUDIT)

    sandbox = make_sandbox(keeper, with_people=False)

    people = Membership.objects.filter(vault=sandbox.vault, user__is_system=False)
    assert [member.user for member in people] == [keeper.user]


def test_one_made_by_command_belongs_to_the_domain_administrators():
    boss = make_user(is_domain_admin=True)

    sandbox = make_sandbox(BY, make_vault(), with_people=False)

    assert Membership.objects.get(vault=sandbox.vault, user=boss).profile.api_name == "vault_owner__v"


def test_settings_are_copied_but_for_those_of_sandboxes(keeper):
    VaultSettings.objects.create(vault=keeper.vault, request_days=3, client_id_filtering=True)

    copy = VaultSettings.of(make_sandbox(keeper).vault)

    assert (copy.request_days, copy.client_id_filtering, copy.own_requests) == (3, True, False)


def test_tokens_and_the_trail_are_not_copied(keeper):
    member = make_member(keeper.vault, Permission.API_ACCESS)
    tokens.create_token(member=member, name="Mine", scopes=[], by=member, now=clock.now())

    sandbox = make_sandbox(keeper)

    assert not ApiToken.objects.filter(membership__vault=sandbox.vault).exists()
    assert not AuditEvent.objects.filter(chain=sandbox.pk, event="api_token.created").exists()


def test_studies_are_off_and_sites_and_participants_stay_behind():
    mapping = make_mapping()
    make_participants(make_site(mapping), 3)

    sandbox = make_sandbox(BY, mapping.vault)

    copy = StudyMapping.objects.get(vault=sandbox.vault)
    assert (copy.is_active, copy.sites.count(), copy.participants.count()) == (False, 0, 0)
    assert copy.connection.vault_id == sandbox.pk
    assert SandboxLink.objects.filter(sandbox=sandbox, kind="study_mapping").count() == 1
    assert StudyMapping.objects.get(pk=mapping.pk).is_active


def test_a_refresh_removes_what_was_tried_out_with_a_study():
    mapping = make_mapping()
    keeper = make_keeper(mapping.vault)
    sandbox = make_sandbox(keeper)
    copy = StudyMapping.objects.get(vault=sandbox.vault)
    StudyMapping.objects.filter(pk=copy.pk).update(is_active=True)
    copy.refresh_from_db()
    make_participants(make_site(copy), 2)
    make_run(copy)

    ask_refresh(sandbox, keeper)
    building.build_due(now=clock.now())

    assert not StudyMapping.objects.get(vault=sandbox.vault).is_active
    assert not StudyMapping.objects.filter(pk=copy.pk).exists()


def test_a_refresh_keeps_people_of_the_sandbox_and_brings_new_ones(keeper):
    sandbox = make_sandbox(keeper)
    extra = make_member(sandbox.vault)
    newcomer = make_member(keeper.vault)

    ask_refresh(sandbox, keeper)
    building.build_due(now=clock.now())

    users = set(Membership.objects.filter(vault=sandbox.vault).values_list("user", flat=True))
    assert {extra.user_id, newcomer.user_id, keeper.user_id} <= users


def test_a_custom_profile_follows_its_source_at_a_refresh(keeper):
    sandbox = make_sandbox(keeper)
    SecurityProfile.objects.filter(pk=keeper.profile_id).update(name="Renamed")

    ask_refresh(sandbox, keeper)
    building.build_due(now=clock.now())

    assert SecurityProfile.objects.get(vault=sandbox.vault, api_name=keeper.profile.api_name).name == "Renamed"


def test_a_refresh_takes_the_typed_name(keeper):
    sandbox = make_sandbox(keeper)

    with pytest.raises(services.SandboxRefused, match="Type the sandbox's name"):
        ask_refresh(sandbox, keeper, confirmation="something")

    assert fresh(sandbox).state == SandboxState.ACTIVE


def test_a_sandbox_is_refreshed_once_a_day(keeper):
    sandbox = make_sandbox(keeper)
    ask_refresh(sandbox, keeper, hours=0)
    building.build_due(now=clock.now())

    with pytest.raises(services.SandboxRefused, match="once in 24 hours"):
        ask_refresh(fresh(sandbox), keeper, hours=23)

    assert ask_refresh(fresh(sandbox), keeper, hours=25).is_building


def test_a_sandbox_under_construction_is_not_refreshed_again(keeper):
    sandbox = make_sandbox(keeper)
    ask_refresh(sandbox, keeper)

    with pytest.raises(services.SandboxRefused, match="Building"):
        ask_refresh(sandbox, keeper)


def test_a_sandbox_has_no_sandboxes(keeper):
    sandbox = make_sandbox(keeper)

    with pytest.raises(services.SandboxRefused, match="no sandboxes of its own"):
        request_sandbox(make_keeper(sandbox.vault))


@pytest.mark.parametrize("field", ["dns", "name"])
def test_senseless_values_are_refused_at_their_field(keeper, field):
    with pytest.raises(services.SandboxRefused) as caught:
        request_sandbox(keeper, **{field: " " if field == "name" else "no_dns_name"})

    assert caught.value.field == field
    assert not Sandbox.objects.exists()


def test_sandboxes_of_different_vaults_with_one_name_get_different_dns_names(keeper):
    first, second = request_sandbox(keeper), request_sandbox(make_keeper())

    assert first.vault.dns != second.vault.dns


def test_a_vault_has_one_sandbox_of_a_name(keeper):
    request_sandbox(keeper)

    with pytest.raises(services.SandboxRefused, match="Refresh it, or choose another name"):
        request_sandbox(keeper)

    assert Sandbox.objects.count() == 1


def test_a_taken_dns_name_is_refused(keeper):
    with pytest.raises(services.SandboxRefused, match="belongs to another vault"):
        request_sandbox(keeper, dns=keeper.vault.dns)


def test_it_takes_the_right_in_the_source(keeper):
    sandbox = make_sandbox(keeper)
    reader = make_member(keeper.vault, Permission.ADMIN_USERS)

    for act in (lambda: request_sandbox(reader), lambda: ask_refresh(sandbox, reader)):
        with pytest.raises(PermissionRefused):
            act()
    with pytest.raises(Sandbox.DoesNotExist):
        ask_refresh(sandbox, make_keeper())


def give_way_at(number: int):
    seen = 0

    def breaks(execute, sql, params, many, context):
        nonlocal seen
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen += 1
            if seen == number:
                raise RuntimeError("power cut")
        return execute(sql, params, many, context)

    return database.execute_wrapper(breaks)


def try_to_build(sandbox, number, token=None):
    with give_way_at(number), transaction.atomic():
        copied = building.fill(fresh(sandbox), now=clock.now())
        if token:
            building.settle(sandbox.pk, token, copied, now=clock.now())
        raise RuntimeError("power cut after the last statement")


def filled_source():
    mapping = make_mapping()
    make_local(make_admin(mapping.vault))
    return make_keeper(mapping.vault)


@pytest.mark.parametrize("number", range(1, 90, 8))
def test_a_build_that_breaks_off_leaves_nothing_and_goes_on_later(number):
    keeper = filled_source()
    sandbox = request_sandbox(keeper)
    claim = claims.claim(Sandbox.objects.due(clock.now()), limit=1, lease=timedelta(minutes=1), now=clock.now())

    with pytest.raises(RuntimeError, match="power cut"):
        try_to_build(sandbox, number, claim.token)

    assert not Membership.objects.filter(vault=sandbox.vault).exists()
    assert not Connection.objects.filter(vault=sandbox.vault).exists()
    building.build(sandbox.pk, token=claim.token)
    assert fresh(sandbox).state == SandboxState.ACTIVE
    assert Connection.objects.filter(vault=sandbox.vault, system_managed=False).count() == 2


@pytest.mark.parametrize("number", range(1, 120, 17))
def test_a_refresh_that_breaks_off_leaves_the_sandbox_as_it_was(number):
    keeper = filled_source()
    sandbox = make_sandbox(keeper)
    before = list(Connection.objects.filter(vault=sandbox.vault).order_by("pk").values())

    with pytest.raises(RuntimeError, match="power cut"):
        try_to_build(sandbox, number)

    assert list(Connection.objects.filter(vault=sandbox.vault).order_by("pk").values()) == before


def broken_part(monkeypatch):
    def breaks(_copying):
        raise ValueError("cannot")

    part = registry.Part("Broken", breaks, lambda _copying: None)
    monkeypatch.setattr(building, "parts", [*registry.parts, part])


def test_a_build_that_fails_again_and_again_says_so_and_can_be_tried_again(keeper, monkeypatch):
    sandbox = request_sandbox(keeper)
    with monkeypatch.context() as patched:
        broken_part(patched)
        for number in range(building.MOST_ATTEMPTS + 2):
            building.build_due(now=clock.now() + timedelta(hours=number))

    failed = fresh(sandbox)
    assert (failed.state, failed.attempts) == (SandboxState.FAILED, building.MOST_ATTEMPTS)
    assert "nothing was changed" in failed.error
    assert not Membership.objects.filter(vault=sandbox.vault).exists()

    services.retry(sandbox=failed, by=keeper, now=clock.now())
    building.build_due(now=clock.now())
    assert fresh(sandbox).state == SandboxState.ACTIVE


def test_a_process_killed_every_time_ends_as_failed(keeper):
    sandbox = request_sandbox(keeper)
    for number in range(building.MOST_ATTEMPTS):
        claims.claim(
            Sandbox.objects.due(clock.now() + timedelta(hours=number)),
            limit=1,
            lease=timedelta(minutes=1),
            now=clock.now() + timedelta(hours=number),
            attempts=number + 1,
        )

    building.build_due(now=clock.now() + timedelta(hours=9))

    assert fresh(sandbox).state == SandboxState.FAILED


def test_only_a_failed_one_is_tried_again(keeper):
    with pytest.raises(services.SandboxRefused, match="only a failed one"):
        services.retry(sandbox=make_sandbox(keeper), by=keeper, now=clock.now())


def test_who_lost_the_lease_stores_nothing(keeper):
    sandbox = request_sandbox(keeper)

    building.build(sandbox.pk, token=uuid4())

    assert fresh(sandbox).state == SandboxState.BUILDING
    assert not Membership.objects.filter(vault=sandbox.vault).exists()


def test_a_sandbox_that_is_being_built_is_left_to_who_builds_it(keeper):
    request_sandbox(keeper)
    claims.claim(Sandbox.objects.due(clock.now()), limit=1, lease=timedelta(minutes=3), now=clock.now())

    assert building.build_due(now=clock.now()) == 0


def test_every_part_says_how_much_it_copied(keeper):
    make_local(make_admin(keeper.vault))

    sandbox = make_sandbox(keeper)

    assert set(sandbox.copied) == {part.label for part in registry.parts}
    assert sandbox.copied["Connections"] == 1


def test_every_kind_of_link_is_known_and_says_what_to_do():
    for kind in registry.link_kinds.values():
        assert kind.cause.endswith(".")
        assert kind.step.endswith(".")


def test_a_vault_without_broken_links_has_none(keeper):
    sandbox = make_sandbox(keeper)

    assert links.rows(sandbox.vault, make_member(sandbox.vault)) == []


def test_asking_is_in_the_trail_of_the_source(keeper):
    sandbox = make_sandbox(keeper)
    ask_refresh(sandbox, keeper)

    trail = AuditEvent.objects.filter(chain=keeper.vault_id).order_by("sequence")
    events = list(trail.values_list("event", flat=True))
    assert [event for event in events if event.startswith("sandbox")] == [
        "sandbox.requested",
        "sandbox.refresh_requested",
    ]
