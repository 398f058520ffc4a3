from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.integrations import catalogue
from connections.integrations.catalogue import CatalogueError
from connections.shape import ShapeError
from vaultadmin.applications import Application

CATALOGUE = [
    ("quality_lims", "quality", "quality_to_lims__v", "lims", "quality_lims_connection__v"),
    (
        "safety_clinops",
        "clinical_operations",
        "safety_to_clinical_connection__v",
        "safety",
        "safety_to_clinical_connection__v",
    ),
    ("safety_edc", "cdms", "safety_cdms_connection__v", "safety", "safety_cdms_connection__v"),
    ("medical_safety", "medical", "medical_safety__v", "safety", "medical_safety__v"),
    ("safety_rim", "safety", "safety_to_rim__v", "rim", "safety_rim_connection__v"),
    ("quality_rim", "quality", "qms_to_rim__v", "rim", "qms_rim_connection__v"),
    (
        "rim_clinops",
        "clinical_operations",
        "clinical_to_rim_connection__v",
        "rim",
        "rim_to_clinical_connection__v",
    ),
    ("clinops_edc", "clinical_operations", "cdms_clin-ops_connection__v", "cdms", "cdms_clin-ops_connection__v"),
    (
        "training_clinops",
        "clinical_operations",
        "study_training_to_clinops_connection__v",
        "study_training",
        "study_training_to_clinops_connection__v",
    ),
    (
        "quality_clinops",
        "clinical_operations",
        "quality_to_clinops_connection__v",
        "quality",
        "quality_to_clinops_connection__v",
    ),
    ("rim_promomats", "promomats", "promomats_to_rim__v", "rim", "rim_to_promomats_connection__v"),
    ("promomats_medical", "promomats", "promomats_medical__v", "medical", "promomats_medical__v"),
]
ON_BY_DEFAULT = {
    "qlm_reference_objects__v",
    "sco_study_data__v",
    "sed_sae__v",
    "msf_adverse_event__v",
    "qrm_variation_mgmt__v",
    "rco_product_family__v",
    "rco_clinical_study__v",
    "rco_family_study__v",
    "rco_clinical_site__v",
    "coe_study_data__v",
    "coe_subject_data__v",
    "coe_visit_definition__v",
    "coe_subject_visit__v",
    "stc_study_data__v",
    "stc_study_persons__v",
    "qco_study_data__v",
    "rpm_application__v",
    "rpm_compliance_package__v",
    "rpm_package_documents__v",
    "pmm_inbound_documents__v",
    "pmm_outbound_documents__v",
}
FILES = sorted(catalogue.FOLDER.glob("*.yaml"))
TEXT = (catalogue.FOLDER / "medical_safety.yaml").read_text()


@pytest.mark.parametrize(("key", "one", "name", "other", "peer_name"), CATALOGUE)
def test_each_side_has_the_name_of_the_catalogue(key: str, one: str, name: str, other: str, peer_name: str) -> None:
    found = catalogue.find(key)

    assert {side.application: side.api_name for side in found.sides} == {one: name, other: peer_name}


def test_the_twelve_are_shipped_and_no_other() -> None:
    assert {entry.key for entry in catalogue.standard_connections()} == {row[0] for row in CATALOGUE}


def test_integrations_are_on_only_where_the_catalogue_has_a_star() -> None:
    shipped = [item for entry in catalogue.standard_connections() for item in entry.integrations]

    assert {item.api_name for item in shipped if item.active} == ON_BY_DEFAULT


def test_one_connection_can_be_had_five_times_by_clinical_operations() -> None:
    several = {
        (entry.key, side.application, side.instances)
        for entry in catalogue.standard_connections()
        for side in entry.sides
        if side.instances > 1
    }

    assert several == {("clinops_edc", "clinical_operations", 5)}


def test_no_name_is_longer_than_forty_characters() -> None:
    names = [
        name
        for entry in catalogue.standard_connections()
        for item in entry.integrations
        for name in (item.api_name, *(point.api_name for point in item.points))
    ]

    assert max(map(len, names)) <= 40


def test_the_two_seen_names_are_shipped_as_they_are() -> None:
    safety = catalogue.find("medical_safety").integrations[0]
    quality = catalogue.find("quality_rim").integrations[0]

    assert {point.api_name for point in safety.points} == {"adverse_event_oip__v", "adverse_event_iip__v"}
    assert {"create_regulatory_event__v", "qrm_regulatory_event_oip__v"} <= {p.api_name for p in quality.points}


def test_every_sender_has_a_receiver_at_the_far_end() -> None:
    for entry in catalogue.standard_connections():
        for application in (side.application for side in entry.sides):
            far = entry.other_side(application).application
            sent = sum(p.outbound for item in entry.integrations for p in item.points_of(application))
            received = sum(not p.outbound for item in entry.integrations for p in item.points_of(far))
            assert sent == received, entry.key


def test_points_come_in_their_order() -> None:
    points = catalogue.find("safety_rim").integrations[0].points_of(Application.RIM)

    assert [point.order for point in points] == sorted(point.order for point in points)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("key: medical_safety", "key: another", "file's name"),
        ("key: medical_safety", "key: medical_safety\n  key: medical_safety", "duplicate key"),
        ("key: medical_safety", "key: medical_safety\n  colour: red", "not a known field"),
        ("side: medical", "side: quality", "none of"),
        ("direction: outbound", "direction: sideways", "none of"),
        ("default_status: active__v", "default_status: on", "not a text"),
        ("instances: 1", "instances: 0", "whole number"),
        ("instances: 1", "instances: 10", "more than"),
        ("instances: 1", "instances: true", "whole number"),
        ("adverse_event_oip__v", "a" * 41, "at most"),
        ("adverse_event_oip__v", "Adverse_Event__v", "lowercase"),
        ("app: medical", "app: safety", "different applications"),
        ("direction: outbound, order: 10", "direction: outbound", "missing"),
        ("key: medical_safety", "key: !!python/object/apply:os.getcwd []", "not YAML"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused(old: str, new: str, word: str) -> None:
    assert old in TEXT

    with pytest.raises(ShapeError, match=word):
        catalogue.parse(TEXT.replace(old, new, 1), key="medical_safety")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=300))
def test_any_text_is_read_or_refused_in_one_way(text: str) -> None:
    with pytest.raises(ShapeError):
        catalogue.parse(text, key="medical_safety")


@given(st.integers(min_value=0, max_value=len(TEXT)), st.integers(min_value=0, max_value=40))
def test_a_damaged_file_is_read_or_refused_in_one_way(start: int, length: int) -> None:
    try:
        found = catalogue.parse(TEXT[:start] + TEXT[start + length :], key="medical_safety")
    except ShapeError:
        return

    assert found.key == "medical_safety"


def test_two_connections_of_one_vault_never_share_a_name(tmp_path: Path) -> None:
    for name in ("medical_safety", "copied"):
        (tmp_path / f"{name}.yaml").write_text(TEXT.replace("key: medical_safety", f"key: {name}"))

    with pytest.raises(CatalogueError, match="two connections called"):
        catalogue.load(sorted(tmp_path.iterdir()))


def test_the_file_of_a_wrong_entry_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("[")

    with pytest.raises(CatalogueError, match=r"broken\.yaml"):
        catalogue.load(tmp_path.iterdir())
