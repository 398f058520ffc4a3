from datetime import UTC, datetime, timedelta

import pytest
import time_machine

HOSTILE = '<b onclick="x()">\'&'
NOW = datetime(2026, 5, 14, 12, 0, tzinfo=UTC)


def test_icon_without_label_is_decoration(render):
    drawn = render('{% icon "plug" %}')

    assert 'aria-hidden="true"' in drawn
    assert "sprite" in drawn
    assert "#plug" in drawn


def test_icon_with_label_has_a_name(render):
    drawn = render('{% icon "plug" label="External" %}')

    assert 'role="img"' in drawn
    assert 'aria-label="External"' in drawn


def test_state_badge_says_word_shape_and_tone(render):
    drawn = render('{% state_badge "disconnected" "Disconnected" %}')

    assert "state-danger" in drawn
    assert "#plug-connected-x" in drawn
    assert ">Disconnected</span>" in drawn


def test_state_badge_without_word_makes_one_of_the_name(render):
    assert "Finished with failures" in render('{% state_badge "finished_with_failures" %}')


@time_machine.travel(NOW, tick=False)
def test_when_shows_words_and_keeps_the_exact_time(render):
    drawn = render("{% when moment %}", moment=NOW - timedelta(minutes=3))

    assert ">3 minutes ago</time>" in drawn
    assert 'datetime="2026-05-14T11:57:00Z"' in drawn
    assert 'title="2026-05-14 11:57:00 UTC"' in drawn


@time_machine.travel(NOW, tick=False)
def test_when_with_copy_writes_the_exact_time_out(render):
    drawn = render("{% when moment copy=True %}", moment=NOW)

    assert ">2026-05-14 12:00:00 UTC</span>" in drawn
    assert 'data-copy="2026-05-14T12:00:00Z"' in drawn


def test_when_without_a_moment_says_so(render):
    assert "Not yet" in render('{% when moment empty="Not yet" %}', moment=None)


def test_copyable_escapes_what_it_shows_and_copies(render):
    drawn = render("{% copyable value label=value %}", value=HOSTILE)

    assert "<b onclick" not in drawn
    assert drawn.count("&lt;b onclick=&quot;x()&quot;&gt;&#x27;&amp;") == 3


def test_copyable_without_value_offers_no_button(render):
    assert "<button" not in render("{% copyable value %}", value="")


@pytest.mark.parametrize(
    ("reached", "outcome", "words"),
    [
        (0, "waiting", "0 of 4 steps done"),
        (2, "rejected", "2 of 4 steps done: found site, signed in; stopped at sent"),
        (3, "unknown", "3 of 4 steps done: found site, signed in, sent; not sure at confirmed"),
        (4, "synced", "4 of 4 steps done: found site, signed in, sent, confirmed"),
        (9, "synced", "4 of 4 steps done: found site, signed in, sent, confirmed"),
    ],
)
def test_beads_tell_the_stages_in_words(render, reached, outcome, words):
    drawn = render("{% beads reached=reached outcome=outcome %}", reached=reached, outcome=outcome)

    assert f'aria-label="{words}"' in drawn
    assert drawn.count('class="bead') == 5


def test_crumb_without_address_is_the_page_itself(render):
    drawn = render('{% crumb "Connections" "/list/" %}{% crumb "Safety" %}')

    assert '<a href="/list/">Connections</a>' in drawn
    assert 'aria-current="page">Safety</li>' in drawn


def test_sort_header_keeps_filters_and_drops_the_page_key(render):
    drawn = render('{% sort_header "name" "Name" %}', path="/?state=active&after=17&sort=at")

    assert 'href="?state=active&amp;sort=name"' in drawn
    assert "aria-sort" not in drawn


@pytest.mark.parametrize(
    ("sort", "direction", "following"), [("name", "ascending", "-name"), ("-name", "descending", "name")]
)
def test_sort_header_of_the_current_order_turns_it(render, sort, direction, following):
    drawn = render('{% sort_header "name" "Name" %}', path=f"/?sort={sort}")

    assert f'aria-sort="{direction}"' in drawn
    assert f'href="?sort={following}"' in drawn


def test_sort_header_knows_the_order_nobody_asked_for(render):
    assert 'aria-sort="descending"' in render('{% sort_header "at" "Changed" %}', default_sort="-at")


def test_empty_state_teaches_and_offers_one_button(render):
    drawn = render(
        '{% empty_state "plug" title "Because." %}<a href="/create/">Create</a>{% endempty_state %}', title=HOSTILE
    )

    assert "&lt;b" in drawn
    assert "Because." in drawn
    assert '<a href="/create/">Create</a>' in drawn


def test_card_can_be_linked_to_by_its_title(render):
    drawn = render('{% card "Remote Vault Details" %}inside{% endcard %}')

    assert 'id="remote-vault-details"' in drawn
    assert "inside" in drawn


def test_detail_escapes_the_value_and_shows_a_dash_for_nothing(render):
    drawn = render('{% detail "A" %}{{ value }}{% enddetail %}{% detail "B" %} {% enddetail %}', value=HOSTILE)

    assert "&lt;b" in drawn
    assert "—" in drawn


def test_detail_with_edit_address_offers_a_named_pencil(render):
    drawn = render('{% detail "Name" edit_url="/edit/" %}x{% enddetail %}')

    assert 'href="/edit/"' in drawn
    assert 'aria-label="Edit Name"' in drawn


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Clinical Operations", "CO"), ("EDC (CDMS)", "E"), ("admin@demo.test", "AD"), ("", "?"), ("<>", "?")],
)
def test_initials_are_at_most_two_letters(render, name, letters):
    assert render("{{ name|initials }}", name=name) == letters
