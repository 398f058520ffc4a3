import pytest
from django.conf import settings

from bench import import_preview, lists, pages, start, world
from bench.ecoa_sync import bound, checks, engine, loops
from bench.errors import BenchError
from ecoa.models import FileRow, Participant
from ecoa.service.models import ServiceParticipant
from tests.factories.connections import make_certificate
from vaultadmin import embedded


@pytest.fixture
def place(transactional_db):
    make_certificate()
    return world.make()


@pytest.fixture
def service(live_site):
    authority = embedded.paths(settings.DATA_DIR).ca_certificate
    return loops.Service(f"https://localhost:{live_site.tls_port}", str(authority), checks.BundledStore())


def test_loops_and_bound_deliver_what_they_count(place, service):
    for loop in (loops.naive, loops.careful):
        assert loop(place, service, world.identifiers(loop.__name__, 4)) > 0
        checks.matched(place, service.store, loop.__name__, 4)

    assert bound.rate(place, service, world.identifiers("bound", 6)) > 0
    checks.arrived(service.store, "bound", 6)


def test_engine_figure_is_checked_row_by_row(place, service, celery_worker_process):
    celery_worker_process(("sync",), processes=1)

    ended = engine.finished(engine.plan(place, 7, prefix="ours"), 7)

    checks.settled(place, service.store, ended, "ours", 7)
    assert engine.seconds_of(ended) > 0
    ServiceParticipant.objects.filter(internal_id="i-ours-0000003").update(participant_id="ours-9999999")
    with pytest.raises(BenchError, match="6 instead of 7"):
        checks.settled(place, service.store, ended, "ours", 7)


def test_participant_our_side_does_not_know_as_synced_is_noticed(place, service):
    loops.careful(place, service, world.identifiers("careful", 3))
    Participant.objects.filter(participant_id="careful-0000002").update(my_veeva_participant_id="another")

    with pytest.raises(BenchError, match="2 instead of 3"):
        checks.matched(place, service.store, "careful", 3)


def test_preview_is_checked_value_by_value(place, tmp_path):
    file = import_preview.write_file(tmp_path / "participants.csv", 2000)

    found = import_preview.preview(lambda: None, place.mapping.pk, str(file))

    import_preview.check(found.file, 2000)
    assert import_preview.read_alone(file) > 0
    FileRow.objects.filter(file=found.file).order_by("line").last().delete()
    with pytest.raises(BenchError, match="rows staged"):
        import_preview.check(found.file, 2000)


def test_list_pages_show_the_participants_they_should(place):
    site = place.sites[0]
    lists.fill(place, site, 1200)
    client = pages.client_of(place.manager.user)

    timings = [pages.timing(client, page, requests=2) for page in lists.list_pages(place, site, 1200)]

    assert all(timing.queries > 0 and len(timing.milliseconds) == 2 for timing in timings)
    wrong = pages.Page("wrong", lists.list_pages(place, site, 1200)[0].path, ("nobody-0000001",))
    with pytest.raises(BenchError, match="does not show"):
        pages.timing(client, wrong, requests=1)


def test_first_load_counts_page_styles_and_scripts(place, live_site):
    client = pages.client_of(place.manager.user)

    sizes = pages.first_load(client, pages.Page("home", f"/v/{place.manager.vault_id}/", ()))

    assert all(size > 0 for size in sizes.values())


def test_start_that_comes_to_nothing_is_no_figure(tmp_path):
    blocked = tmp_path / "data"
    blocked.write_text("not a folder")

    with pytest.raises(BenchError, match="not ready"):
        start.start(blocked)
