from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.constants import LookupType, RecordStatus
from connections.models import ReferenceLookup
from connections.selectors import lookups as selectors
from connections.selectors.lookups import Target
from connections.services import lookups
from connections.services.refusals import Refused
from tests.factories.connections import (
    make_admin,
    make_external,
    make_local,
    make_lookup,
    make_vault_to_vault,
)
from tests.factories.people import make_member
from vaultadmin import audit, clock
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.together import answer

pytestmark = pytest.mark.django_db

OBJECT, PICKLIST, GENERIC = LookupType.OBJECT, LookupType.PICKLIST, LookupType.GENERIC


@pytest.fixture
def link(admin):
    return make_vault_to_vault(admin)


def add(connection, by, type=PICKLIST, **fields):
    values = {"name": "country__v", "source_key": "U.S.", "target_key": "United States"} | fields
    return lookups.add(connection=connection, type=type, by=by, now=clock.now(), **values)


def edit(lookup, by, **fields):
    values = {name: getattr(lookup, name) for name in ("source_key", "target_key", "target_key_field")} | fields
    return lookups.edit(lookup=lookup, by=by, now=clock.now(), **values)


def test_lookup_translates_what_it_says(admin, link):
    add(link, admin)

    assert selectors.lookup(link, PICKLIST, "country__v", "U.S.") == Target("United States")


def test_object_lookup_names_object_and_field(admin, link):
    made = add(link, admin, OBJECT, target_key_field="external_id__v", target_key="US")

    assert made.target_object == "country__v"
    assert selectors.lookup(link, OBJECT, "country__v", "U.S.") == Target("US", "country__v", "external_id__v")


@pytest.mark.parametrize("asked", ["u.s.", "U.S", " U.S.", "U.S. ", "", "U.S.\x00", "Ü.S."])
def test_source_keys_are_compared_exactly(admin, link, asked):
    add(link, admin)

    assert selectors.lookup(link, PICKLIST, "country__v", asked) is None


def test_composed_and_decomposed_letters_are_different_keys(admin, link):
    add(link, admin, source_key="\u00e9", target_key="one")
    add(link, admin, source_key="e\u0301", target_key="two")

    assert selectors.lookup(link, PICKLIST, "country__v", "\u00e9") == Target("one")
    assert selectors.lookup(link, PICKLIST, "country__v", "e\u0301") == Target("two")


def test_type_name_and_connection_are_part_of_the_question(admin, link):
    add(link, admin)
    other = make_vault_to_vault(admin)

    assert selectors.lookup(link, OBJECT, "country__v", "U.S.") is None
    assert selectors.lookup(link, PICKLIST, "region__v", "U.S.") is None
    assert selectors.lookup(other, PICKLIST, "country__v", "U.S.") is None


def test_inactive_rows_do_not_translate(admin, link):
    made = add(link, admin)

    lookups.set_status(lookup=made, status=RecordStatus.INACTIVE, by=admin, now=clock.now())

    assert selectors.lookup(link, PICKLIST, "country__v", "U.S.") is None


def test_many_keys_are_looked_up_in_one_query(admin, link, django_assert_num_queries):
    for number in range(5):
        add(link, admin, source_key=f"s{number}", target_key=f"t{number}")

    with django_assert_num_queries(1):
        found = selectors.lookup_many(link, PICKLIST, "country__v", ["s1", "s3", "none"])

    assert found == {"s1": Target("t1"), "s3": Target("t3")}


def test_taken_source_key_is_refused_naming_the_row(admin, link):
    made = add(link, admin)
    lookups.set_status(lookup=made, status=RecordStatus.INACTIVE, by=admin, now=clock.now())

    with pytest.raises(Refused) as refusal:
        add(link, admin, target_key="America")

    assert refusal.value.field == "source_key"
    assert str(refusal.value) == (
        "In country__v the Source Key “U.S.” already stands for “United States” (Inactive); change that row."
    )


def test_moving_a_row_onto_another_ones_key_is_refused(admin, link):
    add(link, admin)
    other = add(link, admin, source_key="USA")

    with pytest.raises(Refused, match="already stands for"):
        edit(other, admin, source_key="U.S.")


@pytest.mark.parametrize(
    ("type", "fields", "field"),
    [
        (GENERIC, {"name": "doc_type"}, "name"),
        (GENERIC, {"name": "Doc_type__c"}, "name"),
        (GENERIC, {"name": "doc type__c"}, "name"),
        (PICKLIST, {"name": "Country"}, "name"),
        (PICKLIST, {"name": ""}, "name"),
        (PICKLIST, {"name": "x" * 129}, "name"),
        (PICKLIST, {"target_key_field": "id"}, "target_key_field"),
        (OBJECT, {}, "target_key_field"),
        (OBJECT, {"target_key_field": "External ID"}, "target_key_field"),
        (PICKLIST, {"source_key": ""}, "source_key"),
        (PICKLIST, {"source_key": "  "}, "source_key"),
        (PICKLIST, {"source_key": "x" * 256}, "source_key"),
        (PICKLIST, {"source_key": "a\nb"}, "source_key"),
        (PICKLIST, {"source_key": "a\x00"}, "source_key"),
        (PICKLIST, {"target_key": ""}, "target_key"),
        (PICKLIST, {"target_key": "\t"}, "target_key"),
    ],
)
def test_values_that_break_a_rule_are_refused_at_their_field(admin, link, type, fields, field):
    with pytest.raises(Refused) as refusal:
        add(link, admin, type, **fields)

    assert refusal.value.field == field
    assert not ReferenceLookup.objects.exists()


def test_rows_can_be_added_to_a_generic_lookup_that_came_with_a_standard_connection(admin, link):
    make_lookup(link, type=GENERIC, name="study_phase", source_key="phase_1__v", target_key="phase_i__v")

    assert add(link, admin, GENERIC, name="study_phase", source_key="phase_2__v", target_key="phase_ii__v").pk


@pytest.mark.parametrize("make", [make_external, make_local])
def test_only_vault_to_vault_connections_take_lookups(admin, make):
    with pytest.raises(Refused, match="Only Vault to Vault connections support reference lookups"):
        add(make(admin), admin)


def test_same_click_twice_makes_one_row(admin, link):
    key = uuid4()

    assert add(link, admin, creation_key=key).pk == add(link, admin, creation_key=key).pk


def test_every_change_is_recorded(admin, link):
    made = add(link, admin)
    edit(made, admin, target_key="America")
    edit(made, admin, target_key="America")
    lookups.set_status(lookup=made, status=RecordStatus.INACTIVE, by=admin, now=clock.now())
    lookups.delete(lookup=made, by=admin)
    lookups.delete(lookup=made, by=admin)

    rows = list(audit.history(made))
    assert [row.event.removeprefix("reference_lookup.") for row in rows] == [
        *("deleted", "inactivated", "edited", "created")
    ]
    assert rows[2].changes == {"Target Key": ["United States", "America"]}
    assert rows[0].changes["Source Key"] == ["U.S.", None]


def test_edit_does_not_overwrite_what_somebody_else_saved(admin, link):
    made = add(link, admin)

    with pytest.raises(Refused, match="Somebody changed this lookup"):
        edit(made, admin, target_key="x", seen=clock.now())


def test_deleted_row_is_refused_in_words(admin, link):
    made = add(link, admin)
    lookups.delete(lookup=made, by=admin)

    with pytest.raises(Refused, match="deleted meanwhile"):
        edit(made, admin)


@pytest.mark.parametrize("permission", [Permission.MANAGE_CONNECTIONS, Permission.MANAGE_INTEGRATIONS])
def test_managers_of_connections_and_of_integrations_change_lookups(link, permission):
    assert add(link, make_member(link.vault, permission)).pk


def test_readers_change_nothing(link):
    member = make_member(link.vault, Permission.CONNECTION_EDIT)
    row, before = make_lookup(link), AuditEvent.objects.count()

    for act in (
        lambda: add(link, member, source_key="x"),
        lambda: edit(row, member),
        lambda: lookups.set_status(lookup=row, status=RecordStatus.INACTIVE, by=member, now=clock.now()),
        lambda: lookups.delete(lookup=row, by=member),
    ):
        with pytest.raises(PermissionRefused):
            act()
    assert AuditEvent.objects.count() == before


def test_another_vaults_row_is_not_found(link):
    row = make_lookup(link)

    with pytest.raises(Refused, match="deleted meanwhile"):
        edit(row, make_admin())


_keys = st.text(min_size=1, max_size=12).filter(
    lambda key: key.strip() and not any(ord(letter) < 32 or ord(letter) == 127 for letter in key) and key.isprintable()
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(pairs=st.dictionaries(_keys, _keys, min_size=1, max_size=6))
def test_any_keys_are_kept_and_found_as_given(admin, link, pairs):
    ReferenceLookup.objects.all().delete()
    for source, target in pairs.items():
        add(link, admin, source_key=source, target_key=target)

    assert {
        key: found.key for key, found in selectors.lookup_many(link, PICKLIST, "country__v", pairs).items()
    } == pairs


def test_sets_count_rows_and_active_rows(admin, link):
    make_lookup(link)
    make_lookup(link, source_key="x", status=RecordStatus.INACTIVE)
    make_lookup(link, type=GENERIC, name="doc_type__c")

    assert [(row["name"], row["type_label"], row["number"], row["active"]) for row in answer(selectors.sets(link))] == [
        ("country__v", "Picklist", 2, 1),
        ("doc_type__c", "Generic", 1, 1),
    ]
