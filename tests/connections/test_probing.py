import socket
from base64 import b64decode
from contextlib import ExitStack

import pytest
import trustme

from connections.constants import AuthorizationType
from connections.models import Connection, ConnectionAuthorization
from connections.services import probing
from connections.services.probing import Outcome
from connections.services.refusals import Refused
from tests.factories.connections import SECRET, make_admin, make_authorization, make_external, make_token
from tests.factories.people import make_member
from tests.vaultadmin.outbound.bad_peers import BAD_PEERS
from tests.vaultadmin.outbound.corpus import STATUSES, TARGETS
from tests.vaultadmin.outbound.peers import Peer, answer, hang, recorded_dials, server_context
from vaultadmin import audit
from vaultadmin.models import AuditEvent
from vaultadmin.permissions import Permission, PermissionRefused

HOST = "rtsm.example.com"
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def serve(authority, settings, tmp_path):
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    settings.OUTBOUND_CA_BUNDLE = str(bundle)
    with ExitStack() as stack:

        def start(script, context=None):
            peer = Peer(context or server_context(authority.issue_cert(HOST)), script)
            stack.callback(peer.close)
            settings.OUTBOUND_RESOLVE = f"{HOST}:443=127.0.0.1:{peer.port}"
            return peer

        yield start


def connect(admin, **fields):
    return make_external(admin, authorization=make_authorization(admin, **fields))


def test_basic_auth_is_sent_as_the_header(admin, serve):
    peer = serve(answer())
    connection = connect(admin, type=AuthorizationType.BASIC, identity="rtsm")

    result = probing.probe(connection=connection, by=admin)

    assert (result.outcome, result.status, result.host) == (Outcome.PASSED, 200, HOST)
    request = peer.requests[0].decode()
    header = next(line for line in request.split("\r\n") if line.startswith("Authorization: "))
    assert request.startswith("GET / HTTP/1.1\r\n")
    assert b64decode(header.removeprefix("Authorization: Basic ")).decode() == f"rtsm:{SECRET}"


def test_client_credentials_are_sent_as_the_header(admin, serve):
    peer = serve(answer())

    probing.probe(connection=connect(admin), by=admin)

    header = next(line for line in peer.requests[0].decode().split("\r\n") if line.startswith("Authorization: "))
    assert b64decode(header.removeprefix("Authorization: Basic ")).decode() == "mv-ext-demo-RTSM:s3cret+value"


def test_without_an_authorization_no_header_is_sent(admin, serve):
    peer = serve(answer())

    probing.probe(connection=make_external(admin), by=admin)

    assert b"authorization" not in peer.requests[0].lower()


def test_certificate_and_time_are_told(admin, serve, authority):
    serve(answer())

    result = probing.probe(connection=make_external(admin), by=admin)

    assert result.peer.names == (HOST,)
    assert "trustme" in result.peer.issuer.lower()
    assert result.peer.subject
    assert result.peer.valid_until.tzinfo is not None
    assert result.peer.tls_version == "TLS 1.3"
    assert result.milliseconds >= 0


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("204 No Content", Outcome.PASSED),
        ("302 Found", Outcome.PASSED),
        ("401 Unauthorized", Outcome.REFUSED),
        ("403 Forbidden", Outcome.REFUSED),
        ("404 Not Found", Outcome.ANSWERED),
        ("500 Internal Server Error", Outcome.ANSWERED),
    ],
)
def test_status_is_put_into_words(admin, serve, status, outcome):
    serve(answer(b"", status))

    result = probing.probe(connection=connect(admin), by=admin)

    assert (result.outcome, result.status) == (outcome, int(status[:3]))
    assert status[:3] in result.sentence


@pytest.mark.parametrize("target", TARGETS)
def test_redirects_are_not_followed(admin, serve, target):
    peer = serve(answer(b"", STATUSES[0], (f"Location: {target}",)))

    with recorded_dials() as dialled:
        probing.probe(connection=connect(admin), by=admin)

    assert dialled == [("127.0.0.1", peer.port)]
    assert len(peer.requests) == 1


@pytest.mark.parametrize("name", BAD_PEERS)
def test_no_credential_is_sent_over_bad_tls(admin, serve, authority, name):
    peer = serve(answer(), BAD_PEERS[name](authority))

    result = probing.probe(connection=connect(admin), by=admin)

    assert (result.outcome, result.status, result.peer) == (Outcome.FAILED, None, None)
    assert not peer.requests
    assert result.sentence.endswith(".")


def test_silence_ends_the_test_in_time(admin, serve, monkeypatch):
    serve(hang)
    monkeypatch.setattr(probing, "DEADLINE_SECONDS", 0.3)

    result = probing.probe(connection=make_external(admin), by=admin)

    assert result.outcome == Outcome.FAILED
    assert "did not answer in time" in result.sentence


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        (["127.0.0.1"], "not a public address"),
        (["8.8.8.8", "10.0.0.1"], "not a public address"),
        (["fe80::1"], "not a public address"),
        ([], "could not be resolved"),
    ],
)
def test_name_that_leads_inside_or_nowhere_is_not_called(admin, settings, monkeypatch, addresses, words):
    settings.OUTBOUND_RESOLVE = settings.OUTBOUND_CA_BUNDLE = ""

    def resolve(host, port, **_options):
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with recorded_dials() as dialled:
        result = probing.probe(connection=connect(admin), by=admin)

    assert dialled == []
    assert result.outcome == Outcome.FAILED
    assert words in result.sentence


def test_only_an_audit_row_is_stored_and_it_holds_no_secret(admin, serve):
    serve(answer())
    connection = connect(admin)
    before = AuditEvent.objects.count()

    probing.probe(connection=connection, by=admin)

    assert AuditEvent.objects.count() == before + 1
    row = audit.history(connection).first()
    assert row.event == "connection.tested"
    assert row.changes == {"Host": [None, HOST], "Authorization": [None, "RTSM credentials"]}


def test_test_asked_for_on_the_authorization_is_in_its_history(admin, serve):
    serve(answer())
    connection = connect(admin)

    probing.probe(connection=connection, authorization=connection.authorization, by=admin)

    row = audit.history(connection.authorization).first()
    assert (row.event, row.changes["Connection"]) == ("authorization.tested", [None, "RTSM"])


def test_secret_is_not_sent_to_a_connection_that_does_not_use_it(admin, serve):
    peer = serve(answer())
    other = make_authorization(admin)

    with pytest.raises(Refused, match="does not use"):
        probing.probe(connection=connect(admin), authorization=other, by=admin)
    assert not peer.connections


def test_connection_that_cannot_be_used_is_refused_in_words(admin):
    make_token(admin, value="")

    for url in ("", "https://rtsm.example.com/${Vault.region}"):
        with pytest.raises(Refused):
            probing.probe(connection=make_external(admin, url=url), by=admin)
    connection = connect(admin)
    ConnectionAuthorization.objects.update(secret=None)
    with pytest.raises(Refused, match="enter it again"):
        probing.probe(connection=connection, by=admin)
    assert not AuditEvent.objects.filter(event__endswith=".tested").exists()


def test_testing_needs_the_permission_and_the_vault(admin):
    connection = make_external(admin)

    with pytest.raises(PermissionRefused):
        probing.probe(connection=connection, by=make_member(admin.vault, Permission.CONNECTION_EDIT))
    with pytest.raises(Connection.DoesNotExist):
        probing.probe(connection=connection, by=make_admin())
