import pytest

LINUX = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1 Safari/1 Edg/1"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (LINUX, "Chrome on Linux"),
        (EDGE, "Edge on Windows"),
        (PHONE, "Safari on iPhone"),
        ("curl/8.9.1", "curl/8.9.1"),
        ("", "Unknown"),
    ],
)
def test_a_browser_is_named_in_words(render, user_agent, words):
    assert render("{{ agent|browser }}", agent=user_agent) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "(empty)"),
        ("", "(empty)"),
        (False, "No"),
        (True, "Yes"),
        (0, "0"),
        (["a", "b"], "a, b"),
        ("2026-05-14T10:00:05+02:00", "2026-05-14 08:00:05 UTC"),
        ("2026-05-14T10:00:05 is no time", "2026-05-14T10:00:05 is no time"),
        ("TENANT-2026-T", "TENANT-2026-T"),
    ],
)
def test_a_change_reads_as_people_write(render, value, words):
    assert render("{{ value|change_value }}", value=value) == words


def test_who_did_something_is_a_name_with_the_address_below(render):
    shown = render("{% actor label %}", label="Ana <b> <ana@example.test>")

    assert "Ana" in shown
    assert "<b>" not in shown
    assert render("{% actor label %}", label="eCOA sync") == '<span class="text-nowrap">eCOA sync</span>'
