from uuid import uuid4

import pytest

from connections.constants import IntegrationPointType, RecordStatus
from connections.models import Connection, Integration, IntegrationPoint
from connections.selectors import integrations as selectors
from connections.services import integration_points, integrations
from connections.services.refusals import Refused
from tests.factories.connections import (
    make_admin,
    make_external,
    make_integration,
    make_local,
    make_point,
    make_vault_to_vault,
)
from tests.factories.people import make_member
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused

pytestmark = pytest.mark.django_db


@pytest.fixture
def link(admin):
    return make_vault_to_vault(admin)


@pytest.fixture
def standard(link):
    integration = make_integration(link, name="Study Data", api_name="sco_study_data__v", system_managed=True)
    make_point(integration, name="Study", api_name="sco_study_oip__v", type=IntegrationPointType.SENDER)
    make_point(integration, name="Country", api_name="sco_study_country_iip__v", description="Takes countries")
    return integration


def create(connection, by, **fields):
    values = {"name": "Claims", "api_name": "claims__c"} | fields
    return integrations.create(connection=connection, by=by, now=clock.now(), **values)


def add(integration, by, **fields):
    values = {"type": "receiver__sys", "name": "Receive", "api_name": "receive__c"} | fields
    return integration_points.add(integration=integration, by=by, now=clock.now(), **values)


def edit_point(point, by, **fields):
    values = {name: getattr(point, name) for name in ("type", "name", "api_name", "status", "description")} | fields
    return integration_points.edit(point=point, by=by, now=clock.now(), **values)


def events():
    return list(AuditEvent.objects.order_by("-sequence").values_list("event", flat=True))


def test_created_integration_is_on_and_custom_and_recorded(admin, link):
    made = create(link, admin, description="Warranty claims")

    assert made.is_active
    assert not made.system_managed
    row = audit.history(made).get()
    assert row.event == "integration.created"
    assert row.changes["Integration API Name"] == [None, "claims__c"]


@pytest.mark.parametrize("make", [make_external, make_local])
def test_only_vault_to_vault_connections_take_integrations(admin, make):
    with pytest.raises(Refused, match="Only Vault to Vault connections support integrations"):
        create(make(admin), admin)

    assert not Integration.objects.exists()


@pytest.mark.parametrize(
    "api_name", ["claims", "claims__v", "Claims__c", "a b__c", "x" * 38 + "__c", "", "é__c", "a\n__c"]
)
def test_integration_name_that_breaks_the_rule_is_refused(admin, link, api_name):
    with pytest.raises(Refused) as refusal:
        create(link, admin, api_name=api_name)

    assert refusal.value.field == "api_name"


def test_integration_name_of_forty_characters_passes(admin, link):
    assert create(link, admin, api_name="x" * 37 + "__c").pk


def test_taken_integration_name_is_refused_by_name(admin, link):
    create(link, admin)

    with pytest.raises(Refused, match="“claims__c” is already an Integration API Name of this Vault") as refusal:
        create(make_vault_to_vault(admin), admin)

    assert refusal.value.field == "api_name"


def test_same_click_twice_makes_one_integration_and_one_point(admin, link):
    key = uuid4()

    first, second = create(link, admin, creation_key=key), create(link, admin, creation_key=key)
    one, two = add(first, admin, creation_key=key), add(first, admin, creation_key=key)

    assert (first.pk, one.pk) == (second.pk, two.pk)
    assert events().count("integration.created") == events().count("integration_point.created") == 1


@pytest.mark.parametrize("status", RecordStatus.values)
def test_standard_integration_can_be_switched(admin, standard, status):
    integrations.set_status(integration=standard, status=RecordStatus.INACTIVE, by=admin, now=clock.now())

    switched = integrations.set_status(integration=standard, status=status, by=admin, now=clock.now())

    assert switched.status == status
    assert selectors.is_active(standard.connection, "sco_study_data__v") is (status == RecordStatus.ACTIVE)


def test_switching_to_what_it_is_already_records_nothing(admin, standard):
    integrations.set_status(integration=standard, status=RecordStatus.ACTIVE, by=admin, now=clock.now())

    assert "integration.activated" not in events()


def test_switching_is_recorded_with_before_and_after(admin, standard):
    integrations.set_status(integration=standard, status=RecordStatus.INACTIVE, by=admin, now=clock.now())

    row = audit.history(standard).get()
    assert (row.event, row.changes) == ("integration.inactivated", {"Status": ["Active", "Inactive"]})


def test_standard_integration_and_its_points_are_read_only(admin, standard):
    point, now = standard.points.first(), clock.now()
    acts = [
        lambda: integrations.edit(integration=standard, name="x", api_name="x__c", description="", by=admin, now=now),
        lambda: integrations.delete(integration=standard, by=admin),
        lambda: add(standard, admin),
        lambda: edit_point(point, admin, name="x"),
        lambda: integration_points.remove(point=point, by=admin),
    ]

    for act in acts:
        with pytest.raises(Refused, match="read-only"):
            act()

    assert standard.points.count() == 2


def test_edit_changes_a_custom_integration(admin, link):
    made = create(link, admin)

    saved = integrations.edit(
        integration=made,
        name="Anew",
        api_name="anew__c",
        description="Why",
        by=admin,
        now=clock.now(),
        seen=made.modified_at,
    )

    assert (saved.name, saved.api_name, saved.description) == ("Anew", "anew__c", "Why")
    assert events()[0] == "integration.edited"


def test_edit_does_not_overwrite_what_somebody_else_saved(admin, link):
    made = create(link, admin)
    point = add(made, admin)
    later = clock.now()

    with pytest.raises(Refused, match="Somebody changed this"):
        integrations.edit(integration=made, name="x", api_name="x__c", description="", by=admin, now=later, seen=later)
    with pytest.raises(Refused, match="Somebody changed this"):
        edit_point(point, admin, name="x", seen=later)


def test_points_are_added_changed_and_removed(admin, link):
    made = create(link, admin)
    point = add(made, admin, description="Takes claims")

    changed = edit_point(point, admin, name="Take", type="sender__sys", status="inactive__v", api_name="take__c")
    integration_points.remove(point=changed, by=admin)
    integration_points.remove(point=changed, by=admin)

    assert not IntegrationPoint.objects.exists()
    assert events()[:4] == [*["integration_point.removed"] * 2, "integration_point.edited", "integration_point.created"]
    assert audit.history(changed).first().changes["Integration Point API Name"] == ["take__c", None]


def test_point_names_are_unique_in_the_vault(admin, link):
    add(create(link, admin), admin)
    other = create(link, admin, api_name="other__c")

    with pytest.raises(Refused, match="“receive__c” is already an Integration Point API Name"):
        add(other, admin)


def test_deleting_takes_the_points_along_and_records_them(admin, link):
    made = create(link, admin)
    add(made, admin)

    integrations.delete(integration=made, by=admin)
    integrations.delete(integration=made, by=admin)

    assert not IntegrationPoint.objects.exists()
    about, whole = AuditEvent.objects.filter(event="integration.deleted").order_by("sequence")
    assert about.changes["Integration points"] == [["receive__c"], None]
    assert about.changes["Integration API Name"] == [made.api_name, None]
    assert (whole.subject_id, whole.changes, whole.in_bulk) == (str(link.pk), about.changes, True)


def test_copy_of_a_standard_integration_is_custom_and_off(admin, standard):
    other = make_vault_to_vault(admin)

    made = integrations.copy(
        integration=standard, connection=other, name="Mine", api_name="mine__c", by=admin, now=clock.now()
    )

    assert (made.connection, made.system_managed, made.is_active) == (other, False, False)
    assert sorted(made.points.values_list("api_name", "type", "system_managed")) == [
        ("sco_study_country_iip__c", "receiver__sys", False),
        ("sco_study_oip__c", "sender__sys", False),
    ]
    assert audit.history(made).get().reason == "Copied from sco_study_data__v."


def test_second_copy_numbers_its_names(admin, standard):
    for name in ("one__c", "two__c"):
        made = integrations.copy(
            integration=standard, connection=standard.connection, name="Mine", api_name=name, by=admin, now=clock.now()
        )

    assert made.points.filter(api_name="sco_study_oip_2__c").exists()
    assert integrations.free_name(standard) == "sco_study_data__c"


def test_what_was_deleted_meanwhile_is_refused_in_words(admin, link):
    made = create(link, admin)
    point = add(made, admin)
    integration_points.remove(point=point, by=admin)
    with pytest.raises(Refused, match="removed meanwhile"):
        edit_point(point, admin)

    integrations.delete(integration=made, by=admin)
    with pytest.raises(Refused, match="deleted meanwhile"):
        integrations.set_status(integration=made, status=RecordStatus.INACTIVE, by=admin, now=clock.now())
    link.delete()
    with pytest.raises(Refused, match="Somebody deleted"):
        create(link, admin)


def test_another_vaults_records_are_not_found(admin, standard):
    stranger = make_admin()

    with pytest.raises(Refused, match="deleted meanwhile"):
        integrations.set_status(integration=standard, status=RecordStatus.INACTIVE, by=stranger, now=clock.now())
    with pytest.raises(Connection.DoesNotExist):
        create(standard.connection, stranger)
    assert not Integration.objects.visible_to(stranger).exists()


@pytest.mark.parametrize("permission", [Permission.CONNECTION_EDIT, Permission.MANAGE_INTEGRATIONS])
def test_changing_integrations_needs_manage_connections(link, standard, permission):
    member = make_member(link.vault, permission)
    now = clock.now()

    for act in (
        lambda: create(link, member),
        lambda: integrations.set_status(integration=standard, status=RecordStatus.INACTIVE, by=member, now=now),
        lambda: integrations.delete(integration=standard, by=member),
        lambda: add(standard, member),
    ):
        with pytest.raises(PermissionRefused):
            act()


@pytest.mark.parametrize("permission", [Permission.CONNECTION_READ, Permission.MANAGE_INTEGRATIONS])
def test_integrations_are_seen_by_readers_of_connections_and_managers_of_integrations(link, standard, permission):
    assert Integration.objects.visible_to(make_member(link.vault, permission)).get() == standard
    assert not Integration.objects.visible_to(make_member(link.vault, Permission.ADMIN_AUDIT)).exists()


def test_selectors_tell_active_integrations(link, standard):
    off = make_integration(link, status=RecordStatus.INACTIVE)

    assert list(selectors.active(link)) == [standard]
    assert not selectors.is_active(link, off.api_name)
    assert not selectors.is_active(link, "unknown__c")
    assert {row.api_name: row.point_count for row in selectors.of_connection(link)} == {
        off.api_name: 0,
        "sco_study_data__v": 2,
    }
