import dataclasses
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection as database

from connections.constants import BindingState, ConnectionState, ConnectionType, IntegrationPointType, RecordStatus
from connections.integrations import catalogue
from connections.models import Connection, Integration, IntegrationPoint
from connections.services import editing, standard
from connections.services.refusals import Refused
from tests.connections.handshake import upload
from tests.factories.connections import download, make_admin, make_certificate, make_vault_to_vault
from tests.factories.people import make_member, make_vault
from vaultadmin import audit, clock
from vaultadmin.models import Application, AuditEvent, Vault
from vaultadmin.permissions import Permission, PermissionRefused
from vaultadmin.services import system_accounts, vaults

BY = audit.System("Test")


@pytest.fixture(autouse=True)
def certificate(db):
    return make_certificate()


def fitted(application: str) -> Vault:
    vault = make_vault(application=application)
    standard.load(vault, by=BY, now=clock.now())
    return vault


def record(vault: Vault, key: str, instance: int = 1) -> Connection:
    return Connection.objects.get(vault=vault, standard_key=key, standard_instance=instance)


def everything(vault: Vault) -> list:
    rows = [
        list(Connection.objects.filter(vault=vault).order_by("pk").values()),
        list(Integration.objects.filter(vault=vault).order_by("pk").values()),
        list(IntegrationPoint.objects.filter(vault=vault).order_by("pk").values()),
    ]
    return [*rows, AuditEvent.objects.filter(chain=vault.pk).count()]


@pytest.mark.parametrize("application", Application.values)
def test_a_vault_gets_the_connections_of_its_application(application: str) -> None:
    vault = fitted(application)

    held = set(Connection.objects.filter(vault=vault).values_list("standard_key", "api_name"))

    assert held == {
        (entry.key, entry.side_of(application).api_name) for entry in catalogue.for_application(application)
    }


def test_a_new_record_waits_to_be_established_as_the_application_owner() -> None:
    vault = fitted("clinical_operations")

    found = record(vault, "clinops_edc")

    assert (found.api_name, found.type) == ("cdms_clin-ops_connection__v", ConnectionType.VAULT_TO_VAULT)
    assert (found.state, found.system_managed) == (ConnectionState.PENDING, True)
    assert found.authorized_user == system_accounts.application_owner(vault, by=BY)


def test_integrations_and_points_are_those_of_this_side() -> None:
    vault = fitted("cdms")

    item = record(vault, "clinops_edc").integrations.get(api_name="coe_study_data__v")

    assert item.system_managed
    assert item.status == RecordStatus.ACTIVE
    assert {(p.api_name, p.type) for p in item.points.all()} == {
        ("coe_study_iip__v", IntegrationPointType.RECEIVER),
        ("coe_study_country_iip__v", IntegrationPointType.RECEIVER),
        ("coe_site_iip__v", IntegrationPointType.RECEIVER),
    }


def test_an_integration_without_a_star_is_off() -> None:
    vault = fitted("safety")

    assert record(vault, "safety_rim").integrations.get().status == RecordStatus.INACTIVE


def test_loading_again_writes_nothing() -> None:
    vault = fitted("rim")
    before = everything(vault)

    done = standard.load(vault, by=BY, now=clock.now())

    assert (done.created, done.changed) == ([], [])
    assert everything(vault) == before


def test_looking_for_changes_takes_few_queries(django_assert_max_num_queries) -> None:
    vault = fitted("clinical_operations")

    with django_assert_max_num_queries(8):
        standard.load(vault, by=BY, now=clock.now())


def test_what_administrators_changed_stays() -> None:
    vault = fitted("quality")
    admin = make_admin(vault)
    connection = record(vault, "quality_lims")
    values = {"authorized_user": admin, "description": "Ours", "remote_vault_id": 4711}
    editing.edit(connection=connection, changes=values, by=admin, now=clock.now())
    connection.integrations.update(status=RecordStatus.INACTIVE)

    standard.load(vault, by=BY, now=clock.now())

    kept = record(vault, "quality_lims")
    assert (kept.authorized_user, kept.description, kept.remote_vault_id) == (admin, "Ours", 4711)
    assert not kept.integrations.filter(status=RecordStatus.ACTIVE).exists()


def released(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    entries = list(catalogue.standard_connections())
    number = next(number for number, entry in enumerate(entries) if entry.key == key)
    entry = entries[number]
    item = entry.integrations[0]
    more = dataclasses.replace(item.points[0], api_name="brand_new_oip__v", label="Brand new")
    renamed = dataclasses.replace(item.points[0], label="Renamed point")
    items = (dataclasses.replace(item, label="Renamed", points=(renamed, *item.points[1:], more)),)
    one, other = (dataclasses.replace(side, label=f"{side.label} 2.0") for side in entry.sides)
    entries[number] = dataclasses.replace(entry, sides=(one, other), integrations=items)
    monkeypatch.setattr(catalogue, "standard_connections", lambda: tuple(entries))


def test_a_new_release_brings_labels_and_points(monkeypatch: pytest.MonkeyPatch) -> None:
    vault = fitted("medical")
    released(monkeypatch, "medical_safety")

    done = standard.load(vault, by=BY, now=clock.now())

    connection = record(vault, "medical_safety")
    item = connection.integrations.get()
    assert connection.name == "Medical-Safety 2.0"
    assert (item.name, item.api_name) == ("Renamed", "msf_adverse_event__v")
    assert set(item.points.values_list("name", "api_name")) == {
        ("Renamed point", "adverse_event_oip__v"),
        ("Brand new", "brand_new_oip__v"),
    }
    assert done.created == ["brand_new_oip__v"]
    assert AuditEvent.objects.filter(chain=vault.pk, event="integration_point.edited").count() == 1


def test_a_name_people_took_before_is_left_to_them() -> None:
    vault = make_vault(application="medical")
    theirs = make_vault_to_vault(make_admin(vault), api_name="medical_safety__v")

    standard.load(vault, by=BY, now=clock.now())

    assert record(vault, "medical_safety").api_name == "medical_safety__v_2"
    assert Connection.objects.get(pk=theirs.pk).api_name == "medical_safety__v"


def test_another_one_is_numbered_throughout() -> None:
    vault = fitted("clinical_operations")

    second = standard.add(vault=vault, key="clinops_edc", by=make_admin(vault), now=clock.now())

    assert (second.name, second.api_name) == ("Clinical Operations to CDMS 2", "cdms_clin-ops_connection__v_2")
    names = set(second.integrations.values_list("api_name", flat=True))
    assert "coe_study_data__v_2" in names
    assert second.integrations.get(api_name="coe_study_data__v_2").points.filter(api_name="coe_site_oip__v_2").exists()


def test_loading_keeps_the_second_one_up_to_date() -> None:
    vault = fitted("clinical_operations")
    second = standard.add(vault=vault, key="clinops_edc", by=BY, now=clock.now())
    second.integrations.all()[0].points.all().delete()
    before = IntegrationPoint.objects.filter(vault=vault).count()

    standard.load(vault, by=BY, now=clock.now())

    assert IntegrationPoint.objects.filter(vault=vault).count() > before
    assert Connection.objects.filter(vault=vault, standard_key="clinops_edc").count() == 2


def test_no_more_can_be_had_than_the_catalogue_allows() -> None:
    vault = fitted("clinical_operations")
    for _ in range(4):
        standard.add(vault=vault, key="clinops_edc", by=BY, now=clock.now())

    with pytest.raises(Refused, match="as many"):
        standard.add(vault=vault, key="clinops_edc", by=BY, now=clock.now())

    assert standard.offers(vault) == []


@pytest.mark.parametrize("key", ["safety_edc", "no_such_connection", "quality_lims"])
def test_others_cannot_be_had_twice_or_elsewhere(key: str) -> None:
    vault = fitted("cdms")

    with pytest.raises(Refused):
        standard.add(vault=vault, key=key, by=BY, now=clock.now())


def test_adding_one_needs_the_right_to_create() -> None:
    vault = fitted("clinical_operations")
    reader = make_member(vault, Permission.CONNECTION_READ)

    with pytest.raises(PermissionRefused):
        standard.add(vault=vault, key="clinops_edc", by=reader, now=clock.now())


def test_a_new_vault_has_them_from_the_start() -> None:
    vault = vaults.create_vault(id=None, name="EDC", dns="edc.example.com", application="cdms", by=BY, now=clock.now())

    assert Connection.objects.filter(vault=vault, system_managed=True).count() == 2


def test_every_step_is_in_the_trail() -> None:
    vault = fitted("medical")

    events = set(AuditEvent.objects.filter(chain=vault.pk, actor="Test").values_list("event", flat=True))

    assert {"connection.created", "integration.created", "integration_point.created", "member.added"} <= events


@pytest.mark.parametrize("fail_at", range(1, 40, 3))
def test_a_load_that_breaks_off_leaves_nothing(fail_at: int) -> None:
    vault = make_vault(application="medical")
    seen = 0

    def breaks(execute, sql, params, many, context):
        nonlocal seen
        seen += 1
        if seen == fail_at:
            raise RuntimeError("power cut")
        return execute(sql, params, many, context)

    with database.execute_wrapper(breaks), pytest.raises(RuntimeError):
        standard.load(vault, by=BY, now=clock.now())

    assert not Connection.objects.filter(vault=vault).exists()
    standard.load(vault, by=BY, now=clock.now())
    assert Connection.objects.filter(vault=vault).count() == 2


def named_file(source: Vault, target: Vault, key: str) -> bytes:
    admin = make_admin(source)
    connection = record(source, key)
    editing.edit(connection=connection, changes={"remote_vault_id": target.pk}, by=admin, now=clock.now())
    return download(connection, admin)


def test_a_file_uploaded_in_the_list_finds_the_standard_record() -> None:
    clinical, edc = fitted("clinical_operations"), fitted("cdms")

    binding = upload(named_file(clinical, edc, "clinops_edc"), make_admin(edc))

    assert binding.connection == record(edc, "clinops_edc")
    assert binding.state == BindingState.IN_FORCE
    assert record(clinical, "clinops_edc").state == ConnectionState.ACTIVE


def test_sides_with_different_names_find_each_other() -> None:
    quality, lims = fitted("quality"), fitted("lims")

    binding = upload(named_file(quality, lims, "quality_lims"), make_admin(lims), record(lims, "quality_lims"))

    assert binding.state == BindingState.IN_FORCE


def test_the_file_of_another_standard_connection_is_refused() -> None:
    safety, rim = fitted("safety"), fitted("rim")

    with pytest.raises(Refused, match="different connection"):
        upload(named_file(safety, rim, "safety_rim"), make_admin(rim), record(rim, "quality_rim"))


def test_a_vault_of_another_application_is_refused() -> None:
    one, two = fitted("clinical_operations"), fitted("clinical_operations")

    with pytest.raises(Refused, match="leads to a CDMS Vault"):
        upload(named_file(one, two, "clinops_edc"), make_admin(two), record(two, "clinops_edc"))


def test_a_vault_that_takes_no_part_makes_a_record_of_its_own() -> None:
    clinical, lims = fitted("clinical_operations"), fitted("lims")

    binding = upload(named_file(clinical, lims, "clinops_edc"), make_admin(lims))

    assert binding.connection.api_name == "cdms_clin_ops_connection__v"
    assert not binding.connection.system_managed


def test_with_its_record_established_the_next_one_in_line_is_taken() -> None:
    edc, other = fitted("cdms"), fitted("cdms")
    clinical = fitted("clinical_operations")
    standard.add(vault=clinical, key="clinops_edc", by=BY, now=clock.now())
    admin = make_admin(clinical)

    first = upload(named_file(edc, clinical, "clinops_edc"), admin)
    second = upload(named_file(other, clinical, "clinops_edc"), admin)

    assert (first.connection.standard_instance, second.connection.standard_instance) == (1, 2)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("load_standard_connections", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_loads_one_vault_and_says_so() -> None:
    vault = make_vault(application="cdms")

    assert "made" in run("--vault", str(vault.pk))
    assert ": 0 made, 0 renamed." in run("--all")


def test_the_command_sees_that_several_are_there() -> None:
    vault = make_vault(application="clinical_operations")

    for _ in range(2):
        run("--vault", str(vault.pk), "--connection", "clinops_edc", "--instance", "3")

    assert Connection.objects.filter(vault=vault, standard_key="clinops_edc").count() == 3


@pytest.mark.parametrize(
    "arguments",
    [
        ["--vault", "999999"],
        ["--all", "--connection", "clinops_edc"],
        ["--all", "--connection", "clinops_edc", "--instance", "2"],
    ],
)
def test_wrong_use_of_the_command_is_told_in_a_sentence(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)

    assert caught.value.returncode == 2


def test_asking_for_more_than_may_be_is_told_in_a_sentence() -> None:
    vault = make_vault(application="cdms")

    with pytest.raises(CommandError, match="as many"):
        run("--vault", str(vault.pk), "--connection", "clinops_edc", "--instance", "2")
