import re

import pytest
from django.test import Client
from django.urls import reverse

from ecoa.models import Participant, SyncRun
from ecoa.services import sites
from ecoa.sync import planning
from tests.factories.ecoa import SYSTEM, make_mapping, make_run, make_site
from tests.factories.people import make_member
from vaultadmin import clock
from vaultadmin.permissions import Permission


def sign_in(member):
    client = Client()
    client.force_login(member.user)
    return client


@pytest.fixture
def manager(study):
    return sign_in(study.manager)


@pytest.fixture
def coordinator(study):
    member = make_member(study.mapping.vault, Permission.ECOA_VIEW_SITES)
    sites.assign(site=study.site, member=member, by=SYSTEM)
    return sign_in(member)


def url(study, name, *args):
    return reverse(f"ecoa:{name}", args=[study.mapping.vault_id, *args])


def site_url(study, site=None):
    return url(study, "site", study.mapping.external_study_id, (site or study.site).number)


def test_every_page_opens(study, manager, machine):
    participants = study.participants(3)
    machine.faults[participants[0].internal_id] = ["refuse:ID-0003"]
    run = study.run()
    pages = [
        url(study, "home"),
        site_url(study),
        url(study, "participant", participants[0].pk),
        url(study, "participant-retry", participants[0].pk),
        url(study, "runs"),
        url(study, "run-start"),
        url(study, "run", run.pk),
        url(study, "run-cancel", run.pk),
        url(study, "run-retry", run.pk),
        url(study, "run-pause", run.pk),
        url(study, "run-resume", run.pk),
        url(study, "run-errors", run.pk),
        url(study, "mapping-schedule", study.mapping.pk),
        url(study, "import"),
        url(study, "mappings"),
        url(study, "mapping-create"),
        url(study, "mapping", study.mapping.pk),
        url(study, "mapping-edit", study.mapping.pk),
        url(study, "site-add", study.mapping.pk),
        url(study, "site-assign", study.site.pk),
    ]

    for page in pages:
        assert manager.get(page).status_code == 200, page


def test_coordinator_lands_on_the_only_site(study, coordinator):
    response = coordinator.get(url(study, "home"))

    assert (response.status_code, response["Location"]) == (302, site_url(study))


def test_site_page_says_one_sentence_and_no_technical_word(study, coordinator, machine):
    participants = study.participants(4)
    machine.faults[participants[0].internal_id] = ["refuse:ID-0003"]
    machine.faults[participants[1].internal_id] = ["refuse:NF-0003"]
    study.run()

    text = coordinator.get(site_url(study)).content.decode()

    assert "What this means for you" in text
    assert "2 of 4 participants are in eCOA; 1 needs you; 1 is with the study team." in text
    shown = re.sub(r"<details.*?</details>", "", text.split("<main")[1], flags=re.DOTALL)
    for word in ("HTTP", "JSON", "API", "ID-0003", "NF-0003"):
        assert word not in shown


def test_site_page_in_order_says_so(study, coordinator, machine):
    study.participants(42)
    study.run()

    assert "All 42 participants are in eCOA." in coordinator.get(site_url(study)).content.decode()


def test_coordinator_sees_nothing_of_other_sites(study, coordinator, machine):
    other = make_site(study.mapping, "2001")
    [foreign] = study.participants(1, site=other, participant_id="CANARY-1")
    run = study.run()

    assert coordinator.get(site_url(study, other)).status_code == 404
    assert coordinator.get(url(study, "participant", foreign.pk)).status_code == 404
    for page in (site_url(study), site_url(study) + "?q=CANARY", site_url(study) + "?state=synced&after="):
        assert "CANARY-1" not in coordinator.get(page).content.decode()
    assert b"2001" not in coordinator.get(url(study, "home"), follow=True).content
    for page in ("runs", "import", "mappings"):
        assert coordinator.get(url(study, page)).status_code == 403
    assert coordinator.get(url(study, "run", run.pk)).status_code == 403
    assert coordinator.get(url(study, "participant-retry", foreign.pk)).status_code == 403


def test_member_of_the_vault_without_sites_sees_none(study):
    stranger = sign_in(make_member(study.mapping.vault, Permission.ECOA_VIEW_SITES))

    assert stranger.get(site_url(study)).status_code == 404
    assert b"assigns one to you" in stranger.get(url(study, "home")).content


def test_manager_of_another_vault_finds_nothing(study, machine):
    [participant] = study.participants()
    run = study.run()
    stranger_mapping = make_mapping()
    stranger = sign_in(stranger_mapping.vault.memberships.get())

    for page in (
        url(study, "home"),
        url(study, "run", run.pk),
        reverse("ecoa:run", args=[stranger_mapping.vault_id, run.pk]),
        reverse("ecoa:participant", args=[stranger_mapping.vault_id, participant.pk]),
        reverse("ecoa:mapping", args=[stranger_mapping.vault_id, study.mapping.pk]),
        reverse("ecoa:site-assign", args=[stranger_mapping.vault_id, study.site.pk]),
        reverse("ecoa:site", args=[stranger_mapping.vault_id, study.mapping.external_study_id, study.site.number]),
    ):
        assert stranger.get(page).status_code == 404, page


def test_poll_that_sees_nothing_new_is_answered_304(study, coordinator, machine):
    study.participants(2)
    first = coordinator.get(site_url(study))

    again = coordinator.get(site_url(study), headers={"If-None-Match": first["ETag"]})
    study.run()
    after = coordinator.get(site_url(study), headers={"If-None-Match": first["ETag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert after.status_code == 200


def test_tag_of_one_person_is_no_answer_for_another(study, manager, coordinator):
    first = manager.get(site_url(study))

    assert coordinator.get(site_url(study), headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_site_page_pages_by_key_and_keeps_filters(study, manager):
    study.participants(60)

    first = manager.get(site_url(study) + "?state=waiting")
    second = manager.get(site_url(study) + first.context["older_url"].removeprefix(site_url(study)))

    ids = [row["participant"].participant_id for page in (first, second) for row in page.context["rows"]]
    assert len(ids) == 60
    assert ids == sorted(ids)
    assert "state=waiting" in first.context["older_url"]


@pytest.mark.parametrize("query", ["?after=%00", "?q=%00%27", "?state=nonsense", "?q=" + "x" * 3000, "?after=%F0%9F"])
def test_odd_query_is_answered_with_a_page(study, manager, query):
    study.participants(2)

    assert manager.get(site_url(study) + query).status_code == 200


@pytest.mark.parametrize("text", ["1005-AB", "abc", "1005-A", "AB"])
def test_search_finds_the_beginning_of_an_id_with_or_without_the_site(study, manager, text):
    study.participants(1, participant_id="1005-ABC")
    study.participants(1, participant_id="1005-XAB")

    rows = manager.get(site_url(study), {"q": text}).context["rows"]

    assert [row["participant"].participant_id for row in rows] == ["1005-ABC"]


def test_participants_under_way_are_shown_as_being_sent(study, manager, machine):
    study.participants(1)
    run = make_run(study.mapping)
    planning.freeze(run_id=run.pk, now=clock.now())

    assert manager.get(site_url(study)).context["rows"][0]["state"] == "sending"


@pytest.mark.parametrize(
    ("name", "most"),
    [("home", 8), ("site", 7), ("runs", 5), ("run", 7), ("import", 6), ("mappings", 5), ("mapping", 8)],
)
def test_pages_ask_the_same_number_of_questions_for_few_and_many_rows(
    study, manager, machine, name, most, django_assert_max_num_queries
):
    def page():
        args = {"run": [run.pk], "mapping": [study.mapping.pk]}.get(name, [])
        return site_url(study) if name == "site" else url(study, name, *args)

    study.participants(1)
    run = study.run()
    manager.get(page())
    with django_assert_max_num_queries(most) as few:
        manager.get(page())
    for number in range(10):
        make_site(study.mapping, f"S{number}")
    study.participants(70, status="rejected", code="ID-0003")
    study.run()

    with django_assert_max_num_queries(len(few)) as many:
        manager.get(page())

    assert len(many) <= len(few)


def test_retry_of_a_participant_starts_a_run(study, manager, machine):
    [participant] = study.participants(1)
    machine.faults[participant.internal_id] = ["refuse:NF-0003"]
    study.run()

    response = manager.post(url(study, "participant-retry", participant.pk))

    run = SyncRun.objects.order_by("-pk").first()
    assert response["Location"] == url(study, "run", run.pk)
    assert study.finish(run).synced == 1


def test_retry_in_the_dialog_redirects_by_htmx(study, manager, machine):
    [participant] = study.participants(1, status="rejected", code="ID-0003")

    response = manager.post(url(study, "participant-retry", participant.pk), headers={"HX-Request": "true"})

    assert response.status_code == 204
    assert response["HX-Redirect"] == url(study, "run", SyncRun.objects.get().pk)


def test_retry_while_a_run_is_under_way_says_so(study, manager):
    [participant] = study.participants(1, status="rejected", code="ID-0003")
    make_run(study.mapping)

    response = manager.post(url(study, "participant-retry", participant.pk))

    assert response.status_code == 422
    assert "under way" in response.content.decode()


def test_retry_of_a_run_takes_what_failed_and_nothing_else(study, manager, machine):
    participants = study.participants(3)
    machine.faults[participants[0].internal_id] = ["refuse:NF-0003"]
    first = study.run()

    manager.post(url(study, "run-retry", first.pk))

    again = study.finish(SyncRun.objects.order_by("-pk").first())
    assert (again.total, again.synced) == (1, 1)


def test_run_page_shows_failures_in_words_and_stops_polling_when_over(study, manager, machine):
    [participant] = study.participants(1)
    machine.faults[participant.internal_id] = ["refuse:NF-0002"]
    run = study.run()

    text = manager.get(url(study, "run", run.pk)).content.decode()

    assert "eCOA does not know this study under the name we use. Nothing was sent." in text
    assert "every 2s" not in text


def test_started_run_appears_in_the_list(study, manager):
    study.participants(1)

    response = manager.post(url(study, "run-start"), {"mapping": study.mapping.pk, "scope": "incremental"})

    run = SyncRun.objects.get()
    assert response["Location"] == url(study, "run", run.pk)
    assert str(run) in manager.get(url(study, "runs")).content.decode()


def test_mapping_of_another_vault_cannot_be_started(study, manager):
    foreign = make_mapping()

    response = manager.post(url(study, "run-start"), {"mapping": foreign.pk, "scope": "all"})

    assert response.status_code == 422
    assert not SyncRun.objects.exists()


def test_cancel_from_the_page_ends_the_run(study, manager, machine):
    study.participants(2)
    run = make_run(study.mapping)

    manager.post(url(study, "run-cancel", run.pk))

    assert study.finish(run).state == "cancelled"
    assert not Participant.objects.filter(status="synced").exists()
