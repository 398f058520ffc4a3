from ipaddress import ip_network

import pytest
from django.test import override_settings

from vaultadmin.outbound import Policy, PolicyError, UrlRefused, check_url, current_policy
from vaultadmin.outbound.policy import Endpoint


def test_settings_are_read():
    policy = Policy.parse(
        allow="10.0.0.0/8, FD00:1::/32 ,vault.corp:8443,[::1]:9443,192.168.1.7",
        resolve="Ecoa.demo.test:443=127.0.0.1:8001, six.example.com:443=[0::1]:9443",
        ca_bundle="ca.pem",
    )

    assert policy.networks == (ip_network("10.0.0.0/8"), ip_network("fd00:1::/32"), ip_network("192.168.1.7/32"))
    assert policy.listed == {("vault.corp", 8443), ("::1", 9443)}
    assert dict(policy.routes) == {
        ("ecoa.demo.test", 443): Endpoint("127.0.0.1", 8001),
        ("six.example.com", 443): Endpoint("::1", 9443),
    }
    assert policy.ca_bundle == "ca.pem"
    assert "10.0.0.0/8" in policy.exceptions
    assert "ecoa.demo.test:443=127.0.0.1:8001" in policy.exceptions


@pytest.mark.parametrize("unset", [None, "", " ", ","])
def test_unset_settings_leave_only_public_addresses(unset):
    policy = Policy.parse(allow=unset, resolve=unset, ca_bundle=unset)

    assert (policy.networks, policy.listed, dict(policy.routes), policy.exceptions) == ((), frozenset(), {}, ())


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("allow", "10.0.0.1/8"),
        ("allow", "nonsense"),
        ("allow", "host:"),
        ("allow", "host:0"),
        ("allow", "host:70000"),
        ("allow", "https://host:443"),
        ("resolve", "host:443"),
        ("resolve", "host:443=other.example.com:443"),
        ("resolve", "host:443=127.0.0.1"),
        ("resolve", "host=127.0.0.1:443"),
        ("resolve", "127.0.0.1:443=127.0.0.1:8001"),
        ("resolve", "host:443=[fe80::1%eth0]:443"),
    ],
)
def test_setting_that_cannot_be_read_is_named(setting, text):
    with pytest.raises(PolicyError, match=rf"^VAULTADMIN_OUTBOUND_{setting.upper()} holds .*\.$"):
        Policy.parse(**{setting: text})


def test_current_policy_follows_the_settings_and_is_built_once():
    with override_settings(OUTBOUND_ALLOW="10.0.0.0/8", OUTBOUND_RESOLVE=None, OUTBOUND_CA_BUNDLE=None):
        first = current_policy()
        assert current_policy() is first
        check_url("https://10.1.2.3/")
    with override_settings(OUTBOUND_ALLOW=None, OUTBOUND_RESOLVE=None, OUTBOUND_CA_BUNDLE=None):
        assert current_policy() is not first
        with pytest.raises(UrlRefused):
            check_url("https://10.1.2.3/")


def test_form_rule_has_no_exception_for_a_listed_port():
    policy = Policy.parse(allow="vault.corp:8443")

    assert policy.target("https://vault.corp:8443/").port == 8443
    with pytest.raises(UrlRefused, match="standard port 443"):
        check_url("https://vault.corp:8443/", policy=policy)


def test_name_in_a_resolve_entry_is_accepted():
    check_url("https://edc.localhost/", policy=Policy.parse(resolve="edc.localhost:443=127.0.0.1:8001"))
