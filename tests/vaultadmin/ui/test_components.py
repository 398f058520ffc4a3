import re
from datetime import UTC, datetime
from pathlib import Path

from django import forms
from django.template import engines
from django_htmx.middleware import HtmxDetails

HOSTILE = "<img src=x onerror=x()>"
NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


def test_an_unavailable_action_stays_and_says_why(render):
    items = [
        {"label": "Download Connection File", "url": "/file/", "dialog": True},
        {"label": "Delete", "url": "/delete/", "disabled_reason": "Referenced by queue rtsm_out"},
    ]

    drawn = render('{% include "components/actions_menu.html" with items=items %}', items=items)

    assert drawn.count('role="menuitem"') == 2
    assert 'hx-get="/file/"' in drawn
    assert 'href="/delete/"' not in drawn
    assert "Referenced by queue rtsm_out" in drawn


def test_a_dialog_is_a_fragment_for_htmx_and_a_page_otherwise(render, rf):
    class Form(forms.Form):
        file = forms.FileField()

    source = '{% extends "components/dialog.html" %}{% block dialog_title %}Connect from File{% endblock %}'
    page_request, part_request = rf.get("/x/"), rf.get("/x/", headers={"HX-Request": "true"})
    for request in (page_request, part_request):
        request.htmx = HtmxDetails(request)

    template = engines["django"].from_string(source)
    page = template.render({"form": Form(), "cancel_url": "/back/"}, page_request)
    part = template.render({"form": Form()}, part_request)

    assert "<!DOCTYPE html>" in page
    assert 'href="/back/"' in page
    assert "<html" not in part
    assert 'hx-target="#dialog-body"' in part
    for drawn in (page, part):
        assert 'enctype="multipart/form-data"' in drawn
        assert "csrfmiddlewaretoken" in drawn
        assert 'id="dialog-title"' in drawn


def test_the_pager_offers_only_pages_that_exist(render):
    drawn = render('{% include "components/pager.html" %}', older_url="?before=9", newer_url="")

    assert 'rel="next"' in drawn
    assert 'rel="prev"' not in drawn


def test_the_wizard_marks_the_step_one_is_on(render):
    drawn = render('{% include "components/wizard_steps.html" with current=2 %}', steps=["Type", "Details", "Review"])

    assert drawn.count('aria-current="step"') == 1
    assert drawn.index("Type") < drawn.index('aria-current="step"') < drawn.index("Details")


def test_radio_cards_explain_each_choice(render):
    class Form(forms.Form):
        kind = forms.ChoiceField(label="Connection Type", choices=[("v2v", "Vault to Vault"), ("local", "Local")])

    cards = [
        {"value": "v2v", "label": "Vault to Vault", "text": "Between two vaults.", "icon": "plug"},
        {"value": "local", "label": "Local", "text": "Inside one vault.", "icon": "repeat"},
    ]

    drawn = render(
        '{% include "components/radio_cards.html" with field=form.kind %}', form=Form({"kind": "local"}), cards=cards
    )

    assert drawn.count('type="radio"') == 2
    assert 'aria-describedby="id_kind_v2v_text"' in drawn
    assert re.search(r'value="local"\s+checked', drawn)


def test_a_timeline_tells_done_current_and_future(render):
    events = [
        {"title": "Created", "at": NOW, "by": HOSTILE},
        {"title": "Approval", "state": "current", "badge": ("available", "Available")},
        {"title": "Active", "state": "future"},
    ]

    drawn = render('{% include "components/timeline.html" %}', events=events)

    assert "<img" not in drawn
    assert [drawn.count(f"timeline-{state}") for state in ("done", "current", "future")] == [1, 1, 1]


def test_progress_says_how_much_is_done(render):
    drawn = render('{% include "components/progress.html" with label="Sending" done=120 total=400 left="8 s" %}')

    assert re.search(r'max="400"\s+value="120"', drawn)
    assert "8 s left" in drawn


def test_palette_results_are_options_that_name_their_address(render):
    groups = [{"label": "Pages", "items": [{"label": HOSTILE, "url": "/v/1/", "icon": "home"}]}]

    drawn = render('{% include "components/palette_results.html" %}', groups=groups)

    assert "<img" not in drawn
    assert 'role="option"' in drawn
    assert 'data-href="/v/1/"' in drawn


def test_bands_tell_sandbox_and_development_in_words(render):
    vault = {"is_sandbox": True, "source_vault_id": 1001}

    drawn = render('{% include "components/bands.html" %}', vault=vault, installation={"development": True})

    assert "Sandbox vault" in drawn
    assert "a copy of vault 1001" in drawn
    assert "Development installation." in drawn


def test_production_has_no_band(render):
    drawn = render('{% include "components/bands.html" %}', vault={"is_sandbox": False}, installation={})

    assert drawn.strip() == ""


def test_a_tile_is_a_link_only_where_it_leads_somewhere(render):
    source = '{% include "components/stat.html" with label="Failures" value=3 icon="send" %}'

    assert '<a class="card stat" href="/x/">' in render(source, url="/x/")
    assert '<div class="card stat">' in render(source)


def test_no_tag_of_a_shared_template_was_torn_apart():
    torn = [str(path) for path in (ROOT / "templates").rglob("*.html") if re.search(r"</? {%", path.read_text())]

    assert torn == []
