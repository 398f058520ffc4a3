import threading
import uuid
from contextlib import suppress

import pytest

from tests.flows.pair import (
    ALPHA,
    BETA,
    SIGNED,
    VAULT,
    ask,
    binding,
    certificate,
    ours,
    pinned,
    retired_for_peers,
    shout,
    six_words,
    two_installations,
    unanswered,
)
from tests.flows.persons import Person, come_to, forget_leases, wait_for
from vaultadmin.embedded.processes import wait_until
from vaultadmin.site.demo import world


# One pair of installations for all of these.
@pytest.fixture(scope="module")
def installations(tmp_path_factory):
    with two_installations(tmp_path_factory.mktemp("authority")) as pair:
        yield pair


@pytest.fixture(scope="module")
def people(installations):
    """Administrator and approver of Alpha, then of Beta."""
    return [Person(one, who.email, VAULT) for one in installations for who in (world.ADMIN, world.APPROVER)]


@pytest.fixture
def name():
    return f"link_{uuid.uuid4().hex[:8]}"


def test_installations_are_two_and_their_numbers_the_same(people):
    alpha, _, beta, _ = people

    assert ours(alpha) != ours(beta)
    assert certificate(alpha)[0] == certificate(beta)[0]
    assert certificate(alpha)[1] != certificate(beta)[1]


def test_establish_with_a_remote_vault_id(people, name):
    alpha, _, beta, _ = people

    there = ask(people, name, remote_vault_id=VAULT)

    come_to((alpha, name, "active"), (beta, there, "active"))
    for here, other, record in ((alpha, beta, name), (beta, alpha, there)):
        _, state, installation, vault, number, pem, url = binding(here, record)
        assert (state, installation, vault) == ("in_force", ours(other), VAULT)
        assert (number, pem) == certificate(other)
        assert url == f"{other.installation.variables['VAULTADMIN_PUBLIC_URL']}/v/{VAULT}/peering/"
    assert "Quality" in alpha.page(f"admin/connections/{name}/")


def test_a_message_travels_from_one_installation_to_the_other(people, name):
    alpha, _, beta, _ = people
    there = ask(people, name, remote_vault_id=VAULT)
    come_to((alpha, name, "active"), (beta, there, "active"))
    beta.installation.manage("shell", "-v", "0", "-c", spark(f"take_in({VAULT}, {there!r}, '{name}_in__c')"))
    call = f"send({VAULT}, {name!r}, '{name}_out__c', '{name}_in__c')"
    alpha.installation.manage("shell", "-v", "0", "-c", spark(call))

    assert wait_until(lambda: filed(beta, name) == [("processed", VAULT, f"{name}_out__c", "00001")], seconds=60)
    [attempt] = alpha.installation.rows(
        "SELECT a.outcome, a.status, a.url FROM connections_deliveryattempt a"
        " JOIN connections_messagecopy c ON c.id = a.copy_id JOIN connections_queue q ON q.id = c.queue_id"
        " WHERE q.name = %s",
        f"{name}_out__c",
    )
    assert attempt == ("delivered", 200, f"https://{BETA}/v/{VAULT}/spark/{name}_in__c")


def spark(call):
    return f"from tests.flows import spark_world; spark_world.{call}"


def filed(person, name):
    return person.installation.rows(
        "SELECT m.state, m.remote_vault_id, m.remote_queue_name, m.certificate_id FROM connections_incomingmessage m"
        " JOIN connections_filedmessage f ON f.message_id = m.id WHERE %s = ANY(m.keys)",
        f"{name}_out__c",
    )


def test_establish_without_a_remote_vault_id(people, name):
    alpha, alpha_approver, beta, beta_approver = people

    there = ask(people, name)
    come_to((alpha, name, "pending"), (beta, there, "pending"))
    assert six_words(alpha_approver, name) == six_words(beta_approver, there)
    beta_approver.complete(there, "approve")
    come_to((alpha, name, "pending"), (beta, there, "approved"))
    alpha_approver.complete(name, "approve")

    come_to((alpha, name, "active"), (beta, there, "active"))
    assert binding(alpha, name)[0] == binding(beta, there)[0]
    assert "Checked by phone." in alpha.page(f"admin/connections/{name}/")


def test_establish_is_rejected_and_tried_again(people, name):
    alpha, alpha_approver, beta, beta_approver = people
    there = ask(people, name)

    alpha_approver.complete(name, "reject", "Not this Vault.")
    come_to((alpha, name, "pending"), (beta, there, "pending"))
    assert binding(beta, there)[1] == "rejected"
    assert "Not this Vault." in beta.page(f"admin/connections/{there}/")

    beta.upload(alpha.download(name), into=there)
    beta_approver.complete(there, "approve")
    alpha_approver.complete(name, "approve")
    come_to((alpha, name, "active"), (beta, there, "active"))


@pytest.mark.parametrize("side", ["source", "target"])
def test_establish_is_withdrawn(people, name, side):
    alpha, _, beta, _ = people
    there = ask(people, name)

    person, record = (alpha, name) if side == "source" else (beta, there)
    person.withdraw(record)

    come_to((alpha, name, "pending"), (beta, there, "pending"))
    assert {binding(alpha, name)[1], binding(beta, there)[1]} == {"withdrawn"}


def test_delete_disconnects_the_other_side_which_is_connected_anew(people, name):
    alpha, _, beta, _ = people
    there = ask(people, name, remote_vault_id=VAULT)
    come_to((alpha, name, "active"), (beta, there, "active"))

    alpha.delete(name)
    come_to((alpha, name, "missing"), (beta, there, "disconnected"))
    assert "Asked for by phone" in beta.page(f"admin/connections/{there}/")

    alpha.create(f"{name}_2", remote_vault_id=VAULT)
    beta.upload(alpha.download(f"{name}_2"), into=there)
    come_to((alpha, f"{name}_2", "active"), (beta, there, "active"))


def test_delete_while_the_request_runs_ends_it_there(people, name):
    alpha, _, beta, _ = people
    there = ask(people, name)

    beta.delete(there)

    come_to((alpha, name, "pending"), (beta, there, "missing"))
    assert binding(alpha, name)[1] == "withdrawn"


def test_reset_tells_nobody_and_both_are_bound_anew(people, name):
    alpha, alpha_approver, beta, beta_approver = people
    there = ask(people, name, remote_vault_id=VAULT)
    come_to((alpha, name, "active"), (beta, there, "active"))
    before = binding(beta, there)[0]

    alpha.reset(name)
    assert (alpha.state(name), beta.state(there)) == ("pending", "active")

    beta.upload(alpha.download(name), into=there)
    beta_approver.complete(there, "approve")
    alpha_approver.complete(name, "approve")
    come_to((alpha, name, "active"), (beta, there, "active"))
    assert before != binding(beta, there)[0] == binding(alpha, name)[0]


def test_file_works_once_over_the_network_too(people, name):
    alpha, _, beta, _ = people
    alpha.create(name)
    file = alpha.download(name)
    beta.upload(file)

    status, _, html = beta.press("admin/connections/create/from-file/", "Continue", file=file)

    assert status == 422
    assert "already used" in html


def test_file_of_a_vault_is_not_taken_by_the_very_same_vault(people, name):
    alpha, _, _, _ = people
    alpha.create(name)

    status, _, html = alpha.press("admin/connections/create/from-file/", "Continue", file=alpha.download(name))

    assert status == 422
    assert "made by this Vault" in html


def test_vaults_of_one_installation_still_connect_by_a_call(people, name):
    alpha, _, _, _ = people
    neighbour = Person(alpha.installation, world.ADMIN.email, 1005)
    alpha.create(name, remote_vault_id=1005)

    there = neighbour.upload(alpha.download(name))

    come_to((alpha, name, "active"), (neighbour, there, "active"))


def test_certificate_rolls_over_and_messages_verify_on(people, name):
    alpha, _, beta, _ = people
    links = [name, f"{name}_2"]
    there = [ask(people, link, remote_vault_id=VAULT) for link in links]
    come_to(*[(alpha, link, "active") for link in links], *[(beta, link, "active") for link in there])
    old = certificate(alpha)

    alpha.installation.manage("rotate_signing_certificate")
    new = certificate(alpha)
    assert new != old
    assert wait_for(lambda: all(new in pinned(beta, link) for link in there), alpha.installation)
    alpha.installation.manage("rotate_signing_certificate", "--retire")
    assert wait_for(lambda: retired_for_peers(alpha), alpha.installation)

    alpha.delete(links[0])
    beta.delete(there[1])
    come_to((beta, there[0], "disconnected"), (alpha, links[1], "disconnected"))
    assert wait_for(lambda: not unanswered(beta), beta.installation)


@pytest.mark.parametrize(
    ("lines", "body", "status"),
    [
        ([], b"{}", 401),
        ([f"{SIGNED}VaultId: 1004", f"{SIGNED}VaultId: 1004"], b"{}", 401),
        ([f"{SIGNED}VaultId: 1004", "X_VaultAPISignature_VaultId: 1005"], b"{}", 401),
        ([f"{SIGNED}URL: https://{ALPHA}/v/{VAULT}/peering/connect", f"{SIGNED}CertificateId: 00001"], b"{", 401),
        ([], b"x" * 65_537, 413),
    ],
)
def test_whoever_has_no_key_is_told_nothing_over_the_wire(people, lines, body, status):
    alpha, *_ = people

    answers = [shout(alpha.installation, "POST", lines, body) for _ in range(2)]

    assert {answer.partition(b"\r\n")[0].split()[1] for answer in answers} == {str(status).encode()}
    assert b"application/problem+json" in answers[0]
    assert (b"The message is not accepted." in answers[0]) == (status == 401)


def test_only_posts_are_taken_over_the_wire(people):
    assert b"405" in shout(people[0].installation, "GET", [], b"").partition(b"\r\n")[0]


def test_other_side_is_away_and_the_page_goes_on_by_itself(people, name):
    alpha, _, beta, _ = people
    alpha.create(name, remote_vault_id=VAULT)
    file = alpha.download(name)
    alpha.installation.kill()

    there = beta.upload(file)
    assert "Waiting for" in beta.page(f"admin/connections/{there}/")
    alpha.installation.start()

    come_to((alpha, name, "active"), (beta, there, "active"))


# Who is killed while Beta uploads, while Beta approves, and while Alpha approves.
@pytest.mark.parametrize("victims", [("alpha", "beta", "alpha"), ("beta", "alpha", "beta")], ids="-".join)
def test_either_side_killed_at_each_step_converges(people, name, victims, goal):
    alpha, alpha_approver, beta, beta_approver = people
    alpha.create(name)
    file = alpha.download(name)

    there = f"target_{name}"
    beta.create(there)
    during(people, victims[0], lambda: beta.upload(file, into=there))
    again(beta, there, lambda: beta.upload(file, into=there), done=lambda: has_request(beta, there))
    come_to_request(people, name, there)

    for victim, approver, record in ((victims[1], beta_approver, there), (victims[2], alpha_approver, name)):
        during(people, victim, lambda approver=approver, record=record: approver.complete(record, "approve"))
        again(
            approver,
            record,
            lambda approver=approver, record=record: approver.complete(record, "approve"),
            done=lambda approver=approver, record=record: approver.state(record) in ("approved", "active"),
        )

    come_to((alpha, name, "active"), (beta, there, "active"))
    here, over_there = (str(binding(person, record)[:2]) for person, record in ((alpha, name), (beta, there)))
    goal("C3").reached(figure=here, target=over_there, ok=here == over_there)


def during(people, victim, act):
    """Press the button, and kill one installation the moment the request is on its way; then start it again."""
    installation = people[0 if victim == "alpha" else 2].installation

    def try_it():
        with suppress(Exception):
            act()

    pressed = threading.Thread(target=try_it)
    pressed.start()
    pressed.join(timeout=0.4)
    installation.kill()
    pressed.join()
    installation.start()
    forget_leases(installation)


def again(person, record, act, *, done):
    """What a person does whose page was lost: look, and press once more when nothing has happened."""
    if not done():
        person.sign_in()
        act()


def has_request(person, record):
    with suppress(IndexError):
        return binding(person, record)[1] in ("proposed", "approving")
    return False


def come_to_request(people, name, there):
    alpha, _, beta, _ = people

    def both_ask():
        return has_request(alpha, name) and binding(beta, there)[1] == "approving"

    assert wait_for(both_ask, beta.installation)
