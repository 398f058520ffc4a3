import random
from base64 import b64decode
from decimal import Decimal
from urllib.parse import unquote_plus, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections import rules, tokens
from connections.rules import RuleBroken
from connections.tokens import AuthValues, Family, SessionName, Sources, TokenRefused, VaultValue

VAULT = {"id": VaultValue("7"), "dns": VaultValue("a.example.com"), "name": VaultValue("Safety & Co")}
BASIC = AuthValues(username="rtsm", password="päss:word")
CLIENT = AuthValues(client_id="id:1", client_secret="a b&c")


def filled(text, **sources):
    return tokens.fill(text, Sources(**{"vault": VAULT, **sources}).value_of)


def resolved(url, **values):
    return rules.resolve_url(url, Sources(vault=VAULT, custom=values))


@pytest.mark.parametrize(
    "text", ["${Vault.id}", "${vault.ID}", "${VAULT.Id}", "${Core.vaultid}", "${core.id}", "${Custom.id}"]
)
def test_vault_tokens_are_known_under_each_spelling(text):
    assert filled(text) == "7"


def test_family_and_place_of_tokens_are_found_in_order():
    found = tokens.find("a ${Auth.Password} b ${session.SessionId} ${Else.x}")

    assert [(token.family, token.name) for token in found] == [
        (Family.AUTH, "password"),
        (Family.SESSION, "sessionid"),
        (None, "x"),
    ]


@pytest.mark.parametrize("text", ["${", "${Vault}", "${Vault.}", "${.id}", "${Vault.1}", "${ Vault.id}", "${Vault.id"])
def test_broken_token_is_refused(text):
    with pytest.raises(TokenRefused, match=r"\$\{Vault\.id\}"):
        tokens.find(text)


def test_token_has_at_most_a_hundred_characters():
    longest = "${Vault." + "x" * 91 + "}"

    assert len(longest) == 100
    assert tokens.find(longest)
    with pytest.raises(TokenRefused, match="100"):
        tokens.find(longest.replace("x}", "xx}"))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("a", "a"),
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (1.5, "1.5"),
        (Decimal("1E+3"), "1000"),
        (1e-7, "0.0000001"),
    ],
)
def test_supplied_values_are_written_by_their_type(value, written):
    assert filled("${Custom.x}", custom={"x": value}) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_number_that_cannot_be_written_is_refused(value):
    with pytest.raises(TokenRefused, match=r"Custom\.x"):
        filled("${Custom.x}", custom={"x": value})


def test_supplied_value_comes_before_the_token_of_the_vault():
    held = {"region": VaultValue("eu")}

    assert filled("${Custom.Region}", vault=held, custom={"REGION": "us"}) == "us"
    assert filled("${Custom.Region}", vault=held) == "eu"
    assert filled("${Vault.Region}", vault=held, custom={"region": "us"}) == "eu"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("${Vault.x}", "no token of this Vault"),
        ("${Custom.x}", "calling code"),
        ("${Vault.blank}", "no value"),
        ("${Vault.off}", "inactive"),
        ("${Else.x}", "no family"),
        ("${Auth.Password}", "no authorization"),
        ("${Session.SessionId}", "no session is open"),
        ("${Session.Other}", "no session token"),
    ],
)
def test_token_without_a_value_is_named_with_the_reason(text, sentence):
    held = {"blank": VaultValue(""), "off": VaultValue("x", active=False)}

    with pytest.raises(TokenRefused, match=sentence) as refusal:
        filled(text, vault=held)
    assert text in str(refusal.value)


def test_auth_tokens_are_the_halves_of_the_authorization():
    assert filled("${Auth.Username} ${Auth.Password}", auth=BASIC) == "rtsm päss:word"
    assert filled("${Auth.ClientId} ${Auth.ClientSecret}", auth=CLIENT) == "id:1 a b&c"


def test_authorization_value_of_basic_auth_is_the_header():
    header = filled("${Auth.AuthorizationValue}", auth=BASIC)

    assert b64decode(header.removeprefix("Basic ")).decode() == "rtsm:päss:word"


def test_authorization_value_of_a_client_encodes_both_halves_first():
    header = filled("${Auth.AuthorizationValue}", auth=CLIENT)

    identity, _, secret = b64decode(header.removeprefix("Basic ")).decode().partition(":")
    assert (unquote_plus(identity), unquote_plus(secret)) == ("id:1", "a b&c")


@pytest.mark.parametrize("text", ["${Auth.ClientId}", "${Auth.ClientSecret}", "${Auth.Other}"])
def test_auth_token_of_another_type_has_no_value(text):
    with pytest.raises(TokenRefused, match="authorization"):
        filled(text, auth=BASIC)


def test_auth_tokens_are_refused_between_vaults():
    with pytest.raises(TokenRefused, match="between Vaults"):
        filled("${Auth.Username}", auth=BASIC, between_vaults=True)


def test_secrets_are_not_printed():
    assert "päss" not in repr(BASIC)
    assert "a b&c" not in repr(Sources(auth=CLIENT))


def test_session_tokens_are_asked_for_at_every_resolution():
    asked = []

    def supply(name):
        asked.append(name)
        return f"live-{len(asked)}"

    assert filled("${Session.SessionId}", session=supply) == "live-1"
    assert filled("${Session.ConnectionUserSessionId}", session=supply) == "live-2"
    assert asked == [SessionName.CURRENT_USER, SessionName.CONNECTION_USER]


def test_url_is_resolved_in_host_path_and_query():
    url = resolved("https://${Vault.dns}/v/${vault.ID}?name=${Vault.name}&x=${Custom.x}", x="1/2")

    assert url == "https://a.example.com/v/7?name=Safety%20%26%20Co&x=1%2F2"


def test_url_names_the_token_without_a_value():
    with pytest.raises(RuleBroken, match=r"\$\{Custom\.site\}"):
        resolved("https://example.com/${Custom.site}")


@pytest.mark.parametrize("token", ["${Auth.Password}", "${Auth.Username}", "${Session.SessionId}"])
def test_credentials_cannot_stand_in_a_url(token):
    for judge in (rules.check_connection_url, resolved):
        with pytest.raises(RuleBroken, match="cannot stand in a URL"):
            judge(f"https://example.com/{token}")


@pytest.mark.parametrize(
    "value",
    ["", ".", "a.", ".a", "a..b", "a_b", "-a", "a-", "a/b", "a:1", "a@b", "a b", "é", "ａ", "a#", "a?", "%61", "a\n"],
)
def test_only_dns_labels_may_stand_in_the_host(value):
    with pytest.raises(RuleBroken, match=r"Custom\.x"):
        resolved("https://${Custom.x}.example.com/", x=value)


@pytest.mark.parametrize(
    ("url", "value"),
    [
        ("https://${Custom.x}/", "127.0.0.1"),
        ("https://${Custom.x}/", "2130706433"),
        ("https://169.254.${Custom.x}/", "169.254"),
        ("https://${Custom.x}/", "localhost"),
        ("https://metadata.google.${Custom.x}/", "internal"),
        ("https://${Custom.x}/", "redis"),
    ],
)
def test_host_made_of_values_is_judged_as_a_whole(url, value):
    rules.check_connection_url(url)

    with pytest.raises(RuleBroken):
        resolved(url, x=value)


@pytest.mark.parametrize("value", [".", ".."])
def test_value_cannot_step_up_in_the_path(value):
    with pytest.raises(RuleBroken, match="another path"):
        resolved("https://example.com/a/${Custom.x}/b", x=value)


def test_value_with_a_lone_surrogate_is_refused():
    with pytest.raises(RuleBroken, match=r"Custom\.x"):
        resolved("https://example.com/${Custom.x}", x="\ud800")


def test_token_in_the_port_is_refused():
    with pytest.raises(RuleBroken):
        rules.check_connection_url("https://example.com:${Custom.port}/")
    with pytest.raises(RuleBroken):
        resolved("https://example.com:${Custom.port}/", port="8443")


PARTS = [
    "/",
    "@",
    ":",
    "#",
    "?",
    "%0d",
    "%2e",
    "..",
    "\\",
    "\r\n",
    "[",
    "]",
    "%",
    "a",
    "\u3002",
    "evil.test",
    "//",
    "&",
]
hostile = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=8).map("".join)
TEMPLATES = (
    "https://vault.example.com/{0}/x?y={0}",
    "https://vault.example.com/a{0}",
    "https://vault.example.com?{0}",
    "https://{0}.example.com/x",
    "https://vault-{0}.example.com:443/?q={0}",
)


def moves(template, value):
    try:
        url = resolved(template.format("${Custom.x}"), x=value)
    except RuleBroken:
        return False
    seen = urlsplit(url)
    host = seen.hostname or ""
    stays = host == "vault.example.com" if "vault.example" in template else host.endswith(".example.com")
    return (seen.scheme, stays, seen.port or 443, seen.username) != ("https", True, 443, None)


@given(st.sampled_from(TEMPLATES), hostile)
def test_no_value_moves_a_call_to_another_scheme_host_or_port(template, value):
    assert not moves(template, value)


def test_token_values_of_connections(goal):
    judge = goal("F6")
    dice = random.Random(6)
    cases = judge.count(small=500, full=10_000)
    values = ("".join(dice.choices(PARTS, k=dice.randint(1, 8))) for _ in range(cases))

    moved = sum(moves(dice.choice(TEMPLATES), value) for value in values)

    judge.reached(figure={"cases": cases, "moved": moved}, target={"moved": 0}, ok=moved == 0)
