import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vaultadmin.outbound.corpus import (
    BAD_ADDRESSES,
    GOOD,
    GOOD_ADDRESSES,
    OTHER_GOOD,
    REFUSED_URLS,
    STORIES,
    teller,
)
from tests.vaultadmin.outbound.peers import HOST, answer
from vaultadmin.outbound import Door, ErrorKind, Policy
from vaultadmin.outbound.policy import Endpoint


@pytest.mark.parametrize("lines", STORIES.values(), ids=STORIES.keys())
def test_no_story_of_the_resolver_leads_to_a_bad_address(lines, open_door, dials):
    door = open_door(Policy(resolver=teller(lines)))

    answers = [door.send("POST", "https://story.example.com/", body=b"secret", deadline=2) for _ in range(3)]

    assert {address for address, _ in dials} <= {GOOD, OTHER_GOOD}
    assert not any(answer.reached for answer in answers)
    first = ErrorKind.CONNECT if lines[0] == [GOOD] else ErrorKind.REFUSED_ADDRESS
    assert answers[0].kind == first


@pytest.mark.parametrize("bad", BAD_ADDRESSES)
def test_name_that_leads_to_a_bad_address_is_not_dialled(bad, open_door, dials):
    door = open_door(Policy(resolver=teller([[bad]])))

    answer = door.send("GET", "https://name.example.com/", deadline=2)

    assert dials == []
    assert (answer.kind, answer.reached, answer.status, answer.dialled) == (ErrorKind.REFUSED_ADDRESS, False, None, "")


@pytest.mark.parametrize("good", GOOD_ADDRESSES)
def test_public_address_is_dialled_on_the_standard_port(good, open_door, dials):
    door = open_door(Policy(resolver=teller([[good]])))

    answer = door.send("GET", "https://name.example.com/", deadline=2)

    assert dials == [(good.removeprefix("::ffff:"), 443)]
    assert (answer.kind, answer.reached) == (ErrorKind.CONNECT, False)


def test_every_judged_address_is_tried_in_turn(open_door, dials):
    door = open_door(Policy(resolver=teller([[GOOD, OTHER_GOOD, "1.1.1.1"]])))

    door.send("GET", "https://name.example.com/", deadline=2)

    assert {address for address, _ in dials} == {GOOD, OTHER_GOOD, "1.1.1.1"}


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_refused_url_is_neither_resolved_nor_dialled(url, open_door, dials):
    asked = []

    def resolver(host, port):
        asked.append(host)
        return [GOOD]

    door = open_door(Policy(resolver=resolver))

    answer = door.send("POST", url, body=b"secret", deadline=2)

    assert (dials, asked) == ([], [])
    assert (answer.kind, answer.reached) == (ErrorKind.REFUSED_ADDRESS, False)
    assert answer.error.endswith(".")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(address=st.ip_addresses(), path=st.text(max_size=5), host=st.text("ab.-:@[]/\\#%10x", max_size=12))
def test_no_mutated_url_or_answer_of_the_resolver_reaches_a_private_address(address, path, host, dials):
    dials.clear()
    with Door(Policy(resolver=teller([[str(address)]]))) as door:
        door.send("GET", f"https://{host}.example.com/{path}", deadline=2)
        door.send("GET", f"https://{host}", deadline=2)

    assert all(Policy().judge(Policy().target("https://a.example/"), [dialled]) for dialled, _ in dials)


def test_host_outside_the_allowed_ones_gets_nothing(open_door, serve, policy_for, dials):
    peer = serve(answer())
    door = open_door(policy_for(peer, peer))

    refused = door.send("POST", "https://second.example.com/", body=b"secret", allow_hosts=[HOST])
    allowed = door.send("POST", f"https://{HOST.upper()}/", body=b"secret", allow_hosts=[HOST])

    assert (refused.kind, refused.reached) == (ErrorKind.REFUSED_ADDRESS, False)
    assert allowed.ok
    assert len(peer.requests) == 1


def test_resolve_entry_opens_exactly_its_address(open_door, serve, policy_for, dials):
    peer = serve(answer())
    door = open_door(policy_for(peer))

    routed = door.send("GET", f"https://{HOST}/")
    literal = door.send("GET", "https://127.0.0.1/")
    other_port = door.send("GET", f"https://{HOST}:{peer.port}/")

    assert routed.ok
    assert routed.dialled == f"127.0.0.1:{peer.port}"
    assert {literal.kind, other_port.kind} == {ErrorKind.REFUSED_ADDRESS}
    assert dials == [("127.0.0.1", peer.port)]


def test_listed_host_and_port_may_be_private(open_door, serve, ca_bundle):
    peer = serve(answer())
    listed = frozenset({(HOST, peer.port)})
    policy = Policy(listed=listed, ca_bundle=ca_bundle, resolver=teller([["127.0.0.1"]]))

    assert open_door(policy).send("GET", f"https://{HOST}:{peer.port}/").ok


@pytest.mark.parametrize(
    "bad", ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "fd00:ec2::254", "255.255.255.255"]
)
def test_listed_name_never_leads_to_metadata_or_groups(bad, open_door, dials):
    door = open_door(Policy(listed=frozenset({("inner.corp", 443)}), resolver=teller([[bad]])))

    assert door.send("GET", "https://inner.corp/", deadline=2).kind == ErrorKind.REFUSED_ADDRESS
    assert dials == []


def test_listed_network_opens_inner_names_and_nothing_beside_it(open_door, dials):
    networks = Policy.parse(allow="10.1.0.0/16").networks
    inside = open_door(Policy(networks=networks, resolver=teller([["10.1.2.3"]])))
    beside = open_door(Policy(networks=networks, resolver=teller([["10.2.0.1"]])))

    inside.send("GET", "https://vault.corp/", deadline=2)
    refused = beside.send("GET", "https://vault.corp/", deadline=2)

    assert dials == [("10.1.2.3", 443)]
    assert refused.kind == ErrorKind.REFUSED_ADDRESS


@pytest.mark.parametrize("failure", [OSError(-2, "Name or service not known"), None], ids=["unknown", "empty"])
def test_name_without_an_address_is_told_as_such(failure, open_door, dials):
    def resolver(host, port):
        if failure:
            raise failure
        return []

    answer = open_door(Policy(resolver=resolver)).send("GET", "https://name.example.com/", deadline=2)

    assert (answer.kind, answer.reached, dials) == (ErrorKind.DNS, False, [])
    assert "name.example.com" in answer.error


def test_resolver_that_never_answers_holds_nobody_up(open_door, dials):
    release = threading.Event()

    def resolver(host, port):
        release.wait(20)
        return [GOOD]

    answer = open_door(Policy(resolver=resolver)).send("GET", "https://name.example.com/", deadline=0.4)
    release.set()

    assert (answer.kind, answer.reached, dials) == (ErrorKind.TIMEOUT, False, [])
    assert answer.elapsed < 15


def test_error_of_our_own_is_not_hidden(open_door):
    def resolver(host, port):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        open_door(Policy(resolver=resolver)).send("GET", "https://name.example.com/")


def test_endpoint_is_written_with_brackets_when_needed():
    assert str(Endpoint("8.8.8.8", 443)) == "8.8.8.8:443"
    assert str(Endpoint("::1", 443)) == "[::1]:443"
