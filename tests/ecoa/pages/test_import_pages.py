import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from ecoa.forms.mappings import MappingForm
from ecoa.models import FileImport, Participant, Site, SiteAssignment, StudyMapping, SyncRun
from ecoa.services import mappings
from tests.ecoa.imports.files import csv_file, xlsx_file
from tests.ecoa.pages.test_pages import manager, url  # noqa: F401
from tests.factories.connections import make_external
from tests.factories.ecoa import make_mapping
from tests.factories.people import make_member
from tests.fakes import ecoa_machine
from vaultadmin.models import AuditEvent


def upload(study, client, file, name="participants.csv", mapping=None):
    return client.post(
        url(study, "import"),
        {"mapping": (mapping or study.mapping).pk, "file": SimpleUploadedFile(name, file.getvalue())},
    )


def test_upload_shows_the_preview_and_stores_nothing(study, manager):  # noqa: F811
    response = upload(study, manager, csv_file("1005,p-1,i-1", "9999,p-2,i-2"))

    page = manager.get(response["Location"]).content.decode()
    assert "1 of 2 rows can be imported; 1 cannot, see below. Nothing is stored yet." in page
    assert "The study has no site with this number." in page
    assert not Participant.objects.exists()


def test_import_and_send_goes_to_the_run(study, manager, machine):  # noqa: F811
    upload(study, manager, xlsx_file(("1005", "p-1", "i-1")), "list.xlsx")
    file = FileImport.objects.get()

    response = manager.post(url(study, "file-confirm", file.pk), {"send": "1"})

    run = SyncRun.objects.get()
    assert response["Location"] == url(study, "run", run.pk)
    assert study.finish(run).synced == 1


def test_import_without_sending_stays_on_the_file(study, manager):  # noqa: F811
    upload(study, manager, csv_file("1005,p-1,i-1"))
    file = FileImport.objects.get()

    response = manager.post(url(study, "file-confirm", file.pk))

    assert response["Location"] == url(study, "file", file.pk)
    assert "1 rows were imported" in manager.get(response["Location"]).content.decode()
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("raw", [b"", b"\x00" * 3000, b"PK\x03\x04"])
def test_refused_file_shows_the_form_with_one_sentence(study, manager, raw):  # noqa: F811
    response = manager.post(
        url(study, "import"), {"mapping": study.mapping.pk, "file": SimpleUploadedFile("x.csv", raw)}
    )

    assert response.status_code == 422
    assert len(response.context["form"].errors["file"]) == 1


def test_values_of_a_file_are_shown_as_text_only(study, manager):  # noqa: F811
    response = upload(study, manager, csv_file("<script>alert(1)</script>,p-1,i-1"))

    page = manager.get(response["Location"]).content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_mapping_of_another_vault_cannot_get_a_file(study, manager):  # noqa: F811
    response = upload(study, manager, csv_file("1005,p-1,i-1"), mapping=make_mapping())

    assert response.status_code == 422
    assert not FileImport.objects.exists()


def test_discarded_file_is_gone_for_good(study, manager):  # noqa: F811
    upload(study, manager, csv_file("1005,p-1,i-1"))
    file = FileImport.objects.get()

    manager.post(url(study, "file-discard", file.pk))
    manager.post(url(study, "file-confirm", file.pk))

    assert not Participant.objects.exists()


@pytest.fixture
def values(study):
    return {
        "name": "Second",
        "connection": study.mapping.connection_id,
        "tenant_id": "t",
        "external_study_id": "study-2",
        "api_version": "v24.3",
        "fixed_region": "",
        "radar_every_hours": "24",
        "radar_calls_per_hour": "3600",
        "is_active": "on",
    }


def test_mapping_is_created_from_the_page(study, manager, values):  # noqa: F811
    response = manager.post(url(study, "mapping-create"), values)

    made = StudyMapping.objects.get(external_study_id="study-2")
    assert response["Location"] == url(study, "mapping", made.pk)
    assert AuditEvent.objects.filter(event="study_mapping.created", subject_id=str(made.pk)).exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("external_study_id", "study-1"),
        ("external_study_id", "a/b"),
        ("external_study_id", ".."),
        ("tenant_id", "a\x00b"),
        ("api_version", "24"),
        ("fixed_region", "https://evil.example/"),
        ("fixed_region", "http://us.ecoa.example.test/"),
    ],
)
def test_bad_mapping_is_refused_at_its_field(study, manager, machine, values, field, value):  # noqa: F811
    response = manager.post(url(study, "mapping-create"), values | {field: value})

    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert StudyMapping.objects.count() == 1


def test_connection_without_client_credentials_cannot_be_chosen(study, manager, values):  # noqa: F811
    plain = make_external(study.manager)
    foreign = make_mapping().connection

    for connection in (plain, foreign):
        response = manager.post(url(study, "mapping-create"), values | {"connection": connection.pk})
        assert "connection" in response.context["form"].errors


def test_edit_keeps_the_old_values_in_the_trail(study, manager, values):  # noqa: F811
    manager.post(url(study, "mapping-edit", study.mapping.pk), values | {"external_study_id": "study-1"})

    changes = AuditEvent.objects.get(event="study_mapping.edited").changes
    assert changes["tenant ID"] == ["test", "t"]


def test_every_field_of_a_mapping_is_in_the_trail(study, machine):
    others = {
        "name": "Another",
        "connection": make_mapping(study.manager, name="Third", external_study_id="third").connection,
        "tenant_id": "another",
        "external_study_id": "another",
        "api_version": "v25.1",
        "fixed_region": f"https://us.{ecoa_machine.HOST}/",
        "read_back": not study.mapping.read_back,
        "max_calls": 7,
        "radar_is_on": False,
        "radar_every_hours": 12,
        "radar_calls_per_hour": 100,
        "is_active": False,
    }

    mappings.edit(study.mapping, by=study.manager, **others)

    changes = AuditEvent.objects.get(event="study_mapping.edited").changes
    assert len(changes) == len(others)
    assert set(others) == set(MappingForm.Meta.fields)


def test_another_connection_of_the_same_name_is_a_change_in_the_trail(study):
    connection = make_mapping(study.manager, name="Third", external_study_id="third").connection
    assert connection.name == study.mapping.connection.name

    mappings.edit(study.mapping, by=study.manager, connection=connection)

    old, new = AuditEvent.objects.get(event="study_mapping.edited").changes["connection"]
    assert (old, new) == (f"RTSM ({study.mapping.connection_id})", f"RTSM ({connection.pk})")


def test_study_id_is_fixed_once_somebody_is_in_ecoa(study, manager, values, machine):  # noqa: F811
    study.participants(1)
    study.run()

    response = manager.post(url(study, "mapping-edit", study.mapping.pk), values)

    assert "external_study_id" in response.context["form"].errors


def test_site_is_added_once(study, manager):  # noqa: F811
    for _ in range(2):
        response = manager.post(url(study, "site-add", study.mapping.pk), {"number": "7", "name": "Seven"})

    assert response.status_code == 422
    assert Site.objects.filter(number="7").count() == 1


def test_site_staff_are_assigned_and_taken_away(study, manager):  # noqa: F811
    member = make_member(study.mapping.vault)

    manager.post(url(study, "site-assign", study.site.pk), {"member": member.pk})
    assert SiteAssignment.objects.get().member == member
    manager.post(url(study, "site-unassign", study.site.pk, member.pk))

    assert not SiteAssignment.objects.exists()
    assert list(AuditEvent.objects.filter(event__startswith="site.member").values_list("event", flat=True)) == [
        "site.member_removed",
        "site.member_assigned",
    ]


def test_member_of_another_vault_cannot_be_assigned(study, manager):  # noqa: F811
    foreign = make_mapping().vault.memberships.get()

    response = manager.post(url(study, "site-assign", study.site.pk), {"member": foreign.pk})

    assert response.status_code == 422
    assert not SiteAssignment.objects.exists()
