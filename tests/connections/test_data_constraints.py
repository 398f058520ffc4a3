from datetime import date

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database

from connections.constants import LookupType
from connections.models import ConnectionStats, ReferenceLookup
from tests.factories.connections import (
    make_admin,
    make_integration,
    make_lookup,
    make_point,
    make_vault_to_vault,
)

pytestmark = pytest.mark.django_db


def refused(row, **changes):
    with pytest.raises(IntegrityError):
        write_now(type(row).objects.filter(pk=row.pk), changes)


@transaction.atomic
def write_now(rows, changes):
    rows.update(**changes)
    with database.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def integration(admin):
    return make_integration(make_vault_to_vault(admin))


@pytest.fixture
def lookup(admin):
    return make_lookup(make_vault_to_vault(admin))


def test_integration_stays_in_its_connections_vault(integration):
    refused(integration, vault=make_admin().vault)
    refused(integration, connection=make_vault_to_vault(make_admin()))


def test_point_stays_in_its_integrations_vault(integration):
    point = make_point(integration)

    refused(point, vault=make_admin().vault)
    refused(point, integration=make_integration(make_vault_to_vault(make_admin())))


def test_point_is_system_managed_exactly_when_its_integration_is(integration):
    refused(make_point(integration), system_managed=True)
    standard = make_integration(integration.connection, api_name="study__v", system_managed=True)
    refused(make_point(standard, api_name="study_oip__v"), system_managed=False, api_name="study__c")


@pytest.mark.parametrize("api_name", ["claims__v", "claims", "Claims__c", "_a__c", "a-b__c", "", "__c"])
def test_customers_integration_name_ends_in_c(integration, api_name):
    refused(integration, api_name=api_name)
    refused(make_point(integration), api_name=api_name)


def test_standard_integration_name_need_not_end_in_c(integration):
    standard = make_integration(integration.connection, api_name="sco_study_data__v", system_managed=True)

    refused(standard, api_name="Study Data")


def test_integration_and_point_names_are_unique_in_the_vault(admin, integration):
    other = make_integration(make_vault_to_vault(admin), api_name="other__c")
    refused(other, api_name=integration.api_name)
    make_point(integration, api_name="receive__c")
    refused(make_point(other), api_name="receive__c")


def test_integration_name_may_exist_in_another_vault(integration):
    make_integration(make_vault_to_vault(make_admin()), api_name=integration.api_name)


@pytest.mark.parametrize("status", ["", "on", "Active"])
def test_status_is_one_of_two(integration, lookup, status):
    refused(integration, status=status)
    refused(make_point(integration), status=status)
    refused(lookup, status=status)


def test_point_type_is_one_of_two(integration):
    refused(make_point(integration), type="both__sys")


def test_lookup_stays_in_its_connections_vault(lookup):
    refused(lookup, vault=make_admin().vault)


def test_source_key_is_once_per_connection_type_and_name(lookup):
    other = make_lookup(lookup.connection, source_key="USA")

    refused(other, source_key="U.S.")
    make_lookup(lookup.connection, source_key="u.s.")
    make_lookup(lookup.connection, type=LookupType.GENERIC)
    make_lookup(lookup.connection, name="region__v")


def test_only_object_lookups_have_a_key_field(lookup):
    refused(lookup, target_object="country__v")
    refused(lookup, target_key_field="name__v")
    row = make_lookup(
        lookup.connection, type=LookupType.OBJECT, target_object="country__v", target_key_field="external_id__v"
    )
    refused(row, target_key_field="")
    refused(row, target_object="region__v")


@pytest.mark.parametrize("changes", [{"source_key": ""}, {"target_key": ""}, {"name": "Country"}, {"type": "x"}])
def test_lookup_has_a_name_and_both_keys(lookup, changes):
    refused(lookup, **changes)


def test_stats_are_one_row_a_day_and_never_negative(lookup):
    first = ConnectionStats.objects.create(connection=lookup.connection, date=date(2026, 5, 14), failures=1)
    second = ConnectionStats.objects.create(connection=lookup.connection, date=date(2026, 5, 15))

    refused(second, date=first.date)
    refused(first, sent=-1)
    refused(first, timeouts=2)


def test_data_goes_with_its_connection(integration):
    make_point(integration)
    make_lookup(integration.connection)
    ConnectionStats.objects.create(connection=integration.connection, date=date(2026, 5, 14))

    integration.connection.delete()

    assert not ReferenceLookup.objects.exists()
    assert not ConnectionStats.objects.exists()
