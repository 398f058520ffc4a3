import pytest

from ecoa.service import systems
from ecoa.service.models import ServiceSystem
from ecoa.services.refusals import Refused
from tests.ecoa.service.caller import SYSTEM, code_of
from vaultadmin import audit

BY = audit.System("test")


def allow(*addresses):
    system = ServiceSystem.objects.get(external_id=SYSTEM)
    systems.edit(system, allowed_addresses=addresses, integration_enabled=True, by=BY)


def statuses(caller):
    return [
        caller.discover().status_code,
        caller.authorize().status_code,
        caller.get("nobody").status_code,
        caller.post("1005-003", "i").status_code,
    ]


def test_address_off_the_list_is_unauthorized_everywhere(caller):
    allow("192.0.2.0/24")

    assert statuses(caller) == [401, 401, 401, 401]
    assert code_of(caller.discover()) == "ID-0001"


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "::/0"])
def test_address_on_the_list_is_served(caller, entry):
    allow("192.0.2.7", entry, "127.0.0.1/32")

    assert statuses(caller) == [200, 200, 200, 200]


def test_empty_list_allows_any_address(caller):
    allow()

    assert statuses(caller) == [200, 200, 200, 200]


@pytest.mark.parametrize(
    ("address", "served"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("2001:db8::1", True),
        ("192.0.2.8", False),
        ("", False),
        ("unix:", False),
        ("2001:db9::1", False),
    ],
)
def test_addresses_are_compared_as_addresses(address, served):
    assert systems.may_call_from(["192.0.2.7/32", "2001:db8::/32"], address) is served


@pytest.mark.parametrize("entry", ["", "localhost", "10.0.0.1/8", "1.2.3.4/33", "*"])
def test_allow_refuses_what_is_no_address(caller, entry):
    with pytest.raises(Refused):
        allow(entry)
