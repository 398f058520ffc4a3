import pytest

from ecoa import contract


@pytest.mark.parametrize("base", ["https://sponsors-us.myveeva.com/", "https://sponsors-us.myveeva.com"])
def test_urls_join_with_exactly_one_slash(base):
    study, site = "5c8684a9-f2ec-4c69-b4bc-16cd05450fc2", "1005"

    assert contract.discover_url(base) == "https://sponsors-us.myveeva.com/services/v24.3/discover-study-site"
    assert contract.authorize_url(base) == "https://sponsors-us.myveeva.com/auth/v24.3/authorize"
    assert contract.participant_url(base, study, site) == (
        f"https://sponsors-us.myveeva.com/services/v24.3/sponsor/{study}/site/1005/participant"
    )
    assert contract.participant_query_url(base, study, site, "925c6db2").endswith("/participant?internalId=925c6db2")


def test_urls_escape_what_an_identifier_may_hold():
    url = contract.participant_query_url("https://x/", "a/b?c", "1 5#", "é&internalId=x")

    assert url == (
        "https://x/services/v24.3/sponsor/a%2Fb%3Fc/site/1%205%23/participant?internalId=%C3%A9%26internalId%3Dx"
    )


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_urls_refuse_segments_that_would_be_folded_away(segment):
    with pytest.raises(contract.InvalidRequest):
        contract.participant_url("https://x/", "study", segment)


@pytest.mark.parametrize(
    ("version", "known"),
    [
        ("v24.3", True),
        ("v1.0", True),
        ("v24", False),
        ("v24.33", False),
        ("24.3", False),
        ("v24.3\n", False),
        ("v٢٤.3", False),
        ("", False),
    ],
)
def test_version_is_a_number_and_one_digit(version, known):
    assert contract.is_version(version) is known
