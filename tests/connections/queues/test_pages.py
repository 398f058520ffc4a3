import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from connections.models import Lane, Queue, QueueConnection
from connections.services.messages import holding, queues
from tests.connections.pages import HTMX, address, hidden_fields, sign_in
from tests.factories.connections import make_vault_to_vault
from tests.factories.people import make_member
from tests.factories.spark import make_link, make_outbound, make_spark_admin, put
from vaultadmin import clock
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db


def url(vault, name="queues", *args):
    return reverse(f"connections:{name}", args=[vault.pk, *args])


def of(queue, name="queue", *args):
    return url(queue.vault, name, queue.name, *args)


def text(answer):
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def fill(browser, page, **values):
    hidden = hidden_fields(browser.get(page).content.decode())
    return browser.post(page, hidden | values)


def test_vault_without_queues_says_what_a_queue_is_and_offers_create(browser, admin):
    page = text(browser.get(url(admin.vault)))

    assert "A queue keeps Spark messages until they are delivered or processed" in page
    assert "Create queue" in page


def test_reader_of_an_empty_list_is_offered_nothing(admin):
    operator = sign_in(make_member(admin.vault, Permission.MESSAGES_OPERATE))

    answer = operator.get(url(admin.vault))

    assert "No queues yet" in text(answer)
    assert "create/" not in answer.content.decode()


def test_list_searches_filters_and_sorts_from_its_address(browser, admin, outbound, inbound):
    job = make_outbound(admin, type="job", name="nightly__c", label="Nightly")
    queues.set_active(queue=job, active=False, by=admin, now=clock.now())
    queues.set_delivery(queue=outbound, enabled=False, by=admin, now=clock.now())
    make_outbound(make_spark_admin(), name="foreign__c", label="Foreign")

    def found(query=""):
        page = browser.get(url(admin.vault) + query).content.decode()
        return re.findall(r'<a class="row-title"[^>]*>([^<]+)</a>', page)

    assert found() == ["Nightly", "Study in", "Study out"]
    assert found("?sort=-name") == ["Study out", "Study in", "Nightly"]
    assert found("?sort=changed") == ["Study in", "Nightly", "Study out"]
    assert found("?q=STUDY_O") == ["Study out"]
    assert found("?type=inbound") == ["Study in"]
    assert found("?status=inactive") == ["Nightly"]
    assert found("?delivery=disabled") == ["Study out"]
    assert found("?q=%00&type=x&status=y&delivery=z&sort=w&after=v") == ["Nightly", "Study in", "Study out"]
    assert found("?q=none") == []


def test_list_pages_by_key_in_both_directions(browser, admin, monkeypatch):
    monkeypatch.setattr("connections.selectors.queues.PAGE", 2)
    for number in range(5):
        make_outbound(admin, name=f"queue_{number}__c", label=f"Number {number}")

    def walk(query):
        address, seen = url(admin.vault) + query, []
        while address:
            page = browser.get(address).content.decode()
            seen.append(re.findall(r">Number (\d)</a>", page))
            following = re.search(r'id="pager-older"\s+href="([^"]+)"', page)
            address = following[1].replace("&amp;", "&") if following else ""
        return seen

    assert walk("") == [["0", "1"], ["2", "3"], ["4"]]
    assert walk("?sort=-name") == [["4", "3"], ["2", "1"], ["0"]]


def test_list_tells_what_waits_and_what_fails(browser, admin, outbound):
    put(outbound, admin)
    Lane.objects.update(last_outcome="error", last_error="No answer.", last_error_at=clock.now())

    page = text(browser.get(url(admin.vault)))

    assert "Failing" in page
    assert re.search(r"Failing 1 1 ", page)


def test_queue_is_created_in_two_steps_without_script(browser, admin):
    first = text(browser.get(url(admin.vault, "queue-create")))
    answer = fill(browser, url(admin.vault, "queue-create") + "?type=outbound", label="Study sync", sequential="on")

    queue = Queue.objects.get()
    assert "Messages leave through its connections" in first
    assert (queue.name, queue.type, queue.sequential) == ("study_sync__c", "outbound", True)
    assert answer["Location"] == of(queue)
    assert "Study sync was created. Add its connections next." in text(browser.get(of(queue)))


@pytest.mark.parametrize(
    ("type_", "shown", "hidden"),
    [
        ("outbound", ["handler", "handler_user", "sequential"], ["processor"]),
        ("inbound", ["processor", "processor_user", "sequential"], ["handler"]),
        ("job", ["label"], ["processor", "handler", "sequential", "rollback_on_error"]),
    ],
)
def test_fields_depend_on_the_type(browser, admin, telling, type_, shown, hidden):
    page = browser.get(url(admin.vault, "queue-create") + f"?type={type_}").content.decode()

    assert [name for name in shown if f'name="{name}"' not in page] == []
    assert [name for name in hidden if f'name="{name}"' in page] == []


def test_wrong_form_keeps_what_was_typed(browser, admin, outbound):
    page = url(admin.vault, "queue-create") + "?type=outbound"

    taken = fill(browser, page, label="<Mine>", name="study_out__c")
    wrong = fill(browser, page, label="Mine", name="Study Out")

    assert (taken.status_code, wrong.status_code) == (422, 422)
    assert "already has a queue “study_out__c”" in text(taken)
    assert "&lt;Mine&gt;" in taken.content.decode()
    assert "ends in __c" in text(wrong)


def test_only_types_somebody_administers_are_offered(admin):
    somebody = sign_in(make_member(admin.vault, Permission.SDK_JOB_QUEUES))
    page = url(admin.vault, "queue-create")

    cards = somebody.get(page).content.decode()

    assert 'value="job"' in cards
    assert 'value="outbound"' not in cards
    assert somebody.get(f"{page}?type=outbound").status_code == 422


def test_queue_shows_its_sections(browser, admin, outbound):
    put(outbound, admin)

    page = browser.get(of(outbound))

    for words in ("Details", "Switches", "Queue Connections", "RTSM", "Nothing was sent yet", "1 of at most 20,000"):
        assert words in text(page)
    assert 'id="audit"' in page.content.decode()


def test_lane_tells_its_last_outcome_and_why_it_stands_still(browser, admin, outbound):
    make_link(outbound, make_vault_to_vault(admin, name="Safety"), admin, deliver_to="in__c")
    first = QueueConnection.objects.order_by("pk")[0]
    Lane.objects.filter(link=first).update(
        last_outcome="error",
        last_error="No answer within 30 seconds.",
        last_error_at=clock.now(),
        failures_in_row=5,
        paused_until=clock.now() + timedelta(minutes=5),
    )

    page = text(browser.get(of(outbound, "queue-standing")))

    assert "No answer within 30 seconds." in page
    assert "5 failures in a row" in page
    assert "The connection is Pending: nothing travels until it is Active." in page
    assert "delivers to in__c" in page


def test_held_lane_says_who_holds_it_and_why(browser, admin, outbound, rtsm):
    operator = make_member(admin.vault, Permission.MESSAGES_OPERATE)
    holding.hold(connection=rtsm, reason="Receiver moves house", by=operator, now=clock.now())

    page = text(browser.get(of(outbound, "queue-standing")))

    assert f"Held by {operator}: Receiver moves house" in page


def test_moving_part_answers_304_while_nothing_moves(browser, admin, outbound):
    page = of(outbound, "queue-standing")
    tag = browser.get(page, headers=HTMX)["ETag"]

    assert browser.get(page, headers=HTMX | {"If-None-Match": tag}).status_code == 304
    put(outbound, admin)
    assert browser.get(page, headers=HTMX | {"If-None-Match": tag}).status_code == 200


def test_queue_is_edited_as_it_was_seen(browser, admin, outbound):
    page = of(outbound, "queue-edit")
    stale = hidden_fields(browser.get(page).content.decode())

    assert fill(browser, page, label="Renamed", description="For studies").status_code == 302
    late = browser.post(page, stale | {"label": "Late"})

    assert late.status_code == 422
    assert "Somebody changed this queue" in text(late)
    assert Queue.objects.get().label == "Renamed"


def test_two_switches_are_apart_and_say_what_they_do(browser, admin, outbound):
    off = browser.post(of(outbound, "queue-status"), {"status": "inactive"}, headers=HTMX)
    stop = browser.post(of(outbound, "queue-delivery"), {"delivery": "disabled"})

    queue = Queue.objects.get()
    page = text(browser.get(of(outbound)))
    assert (off.status_code, stop["Location"]) == (204, of(outbound))
    assert (queue.is_active, queue.delivery_enabled) == (False, False)
    assert "New messages are refused. Those in the queue go on until it is empty." in page
    assert "Nothing leaves. Messages stay in the queue and new ones come in" in page
    assert browser.post(of(outbound, "queue-status"), {"status": "on"}).status_code == 400
    assert browser.post(of(outbound, "queue-delivery"), {}).status_code == 400


def test_delivery_of_an_inbound_queue_has_no_switch(browser, inbound):
    page = browser.get(of(inbound)).content.decode()

    answer = browser.post(of(inbound, "queue-delivery"), {"delivery": "disabled"})

    assert "queue-delivery" not in page
    assert "Enable delivery" not in page
    assert answer.status_code == 409
    assert "cannot be stopped" in text(answer)


def test_connection_is_added_edited_and_removed_in_dialogs(browser, admin, inbound, itself):
    queue = make_outbound(admin, name="out__c")
    add = of(queue, "queue-link-add")
    assert "study_in__c" in text(browser.get(add))

    refused = browser.post(add, {"connection": "itself", "deliver_to_queue": ""}, headers=HTMX)
    added = browser.post(add, {"connection": "itself", "deliver_to_queue": "study_in__c"}, headers=HTMX)
    link = queue.connections.get()
    edited = fill(browser, of(queue, "queue-link-edit", link.pk), label="Loop", deliver_to_queue="study_in__c")
    removed = browser.post(of(queue, "queue-link-remove", link.pk), headers=HTMX)

    assert (refused.status_code, added.status_code) == (422, 204)
    assert edited["Location"] == of(queue) + "#connections"
    assert "queue:changed" in removed["HX-Trigger"]
    assert not queue.connections.exists()


def test_connection_that_holds_messages_is_not_removed(browser, admin, outbound):
    put(outbound, admin)
    page = of(outbound, "queue-link-remove", outbound.connections.get().pk)

    assert "still wait for this connection" in text(browser.get(page))
    assert browser.post(page).status_code == 409


def test_queue_without_a_fitting_connection_says_so(browser, admin, outbound):
    page = browser.get(of(outbound, "queue-link-add"))

    assert "no further connection that fits" in text(page)
    assert browser.post(of(outbound, "queue-link-add"), {"connection": "rtsm"}).status_code in (409, 422)


def test_reset_takes_the_typed_name(browser, admin, outbound):
    put(outbound, admin)
    page = of(outbound, "queue-reset")
    assert "1 message in Study out will be removed and never delivered or processed." in text(browser.get(page))

    wrong = browser.post(page, {"confirmation": "study"}, headers=HTMX)
    right = browser.post(page, {"confirmation": "study_out__c", "reason": "Wrong study"}, headers=HTMX)

    assert wrong.status_code == 422
    assert "Type the queue's name, study_out__c, to confirm." in text(wrong)
    assert right.status_code == 204
    assert "Deleted messages in queue. 1 message removed." in right["HX-Trigger"]
    assert outbound.copies.get().state == "removed"


def test_delete_takes_the_typed_name_and_leads_to_the_list(browser, admin, outbound):
    page = of(outbound, "queue-delete")

    assert browser.post(page, {"confirmation": "other"}).status_code == 422
    assert browser.post(page, {"confirmation": "study_out__c"})["Location"] == url(admin.vault)
    assert not Queue.objects.exists()


def test_delete_that_is_not_possible_is_shown_with_its_reason(browser, admin, outbound):
    put(outbound, admin)

    assert "Messages wait in this queue." in text(browser.get(of(outbound)))
    assert browser.post(of(outbound, "queue-delete"), {"confirmation": outbound.name}).status_code == 409


def test_operator_sees_a_queue_and_changes_nothing(admin, outbound):
    operator = sign_in(make_member(admin.vault, Permission.MESSAGES_OPERATE))

    page = operator.get(of(outbound))

    assert "Needs “Admin: Spark Queues”." in text(page)
    assert 'name="status"' not in page.content.decode()
    for name in ("queue-edit", "queue-reset", "queue-delete", "queue-link-add", "queue-status", "queue-delivery"):
        assert operator.post(of(outbound, name)).status_code == 403


def test_administrator_of_other_types_is_refused_for_this_one(admin, outbound):
    somebody = make_member(admin.vault, Permission.MESSAGES_OPERATE, Permission.SDK_JOB_QUEUES)

    assert sign_in(somebody).post(of(outbound, "queue-status"), {"status": "inactive"}).status_code == 403
    assert Queue.objects.get().is_active


def test_foreign_queue_looks_like_a_missing_one(browser, admin):
    foreign = make_outbound(make_spark_admin(), name="foreign__c")

    for name in ("queue", "queue-standing", "queue-edit", "queue-reset", "queue-delete", "queue-link-add"):
        assert browser.get(url(admin.vault, name, foreign.name)).status_code == 404


def test_connection_shows_the_queues_that_name_it(browser, admin, outbound, rtsm):
    page = text(browser.get(address(rtsm)))

    assert "Study out study_out__c Outbound" in page
    assert "While one names it, it cannot be deleted." in page


def test_queue_and_connection_lead_to_their_messages(browser, admin, outbound, inbound, rtsm):
    put(outbound, admin)
    listed = url(admin.vault, "messages")

    queue, record = (browser.get(page).content.decode() for page in (of(outbound), address(rtsm)))

    assert f'href="{listed}?direction=out&amp;queue=study_out__c"' in queue
    assert f'href="{listed}?direction=in&amp;queue=study_in__c"' in browser.get(of(inbound)).content.decode()
    assert f'href="{listed}?connection=rtsm"' in record
    assert "1 message waits to leave through this connection." in text(browser.get(address(rtsm)))
    assert browser.get(f"{listed}?direction=out&queue=study_out__c").status_code == 200


def test_who_may_not_see_messages_is_not_led_there(admin, rtsm):
    job = make_outbound(admin, type="job", name="nightly__c")
    somebody = sign_in(make_member(admin.vault, Permission.SDK_JOB_QUEUES, Permission.CONNECTION_READ))

    assert url(admin.vault, "messages") not in somebody.get(of(job)).content.decode()
    assert "Your security profile does not show messages." in text(somebody.get(address(rtsm)))


def test_connection_without_queues_says_how_to_use_one(browser, admin, itself):
    assert "add this connection to a queue" in text(browser.get(address(itself)))


def test_reader_of_connections_is_not_shown_queues(admin, outbound, rtsm):
    reader = sign_in(make_member(admin.vault, Permission.CONNECTION_READ))

    page = text(reader.get(address(rtsm)))

    assert "Your security profile does not show queues." in page
    assert "study_out__c" not in page


def test_navigation_and_palette_lead_to_queues(browser, admin, outbound):
    somebody = sign_in(make_member(admin.vault, Permission.CONNECTION_READ))
    palette = f"/v/{admin.vault_id}/palette/?q=study_o"

    assert f'href="{url(admin.vault)}"' in browser.get(url(admin.vault, "list")).content.decode()
    assert f'href="{url(admin.vault)}"' not in somebody.get(url(admin.vault, "list")).content.decode()
    assert of(outbound) in browser.get(palette).content.decode()
    assert of(outbound) not in somebody.get(palette).content.decode()


def test_queue_has_a_history_page(browser, admin, outbound):
    page = browser.get(of(outbound)).content.decode()
    history = re.search(rf'href="(/v/{admin.vault_id}/[^"]*history[^"]*)"', page)[1]

    assert "Queue created" in text(browser.get(history))
