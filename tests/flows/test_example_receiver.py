import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import trustme

from connections import signed_json
from connections.delivery import draining
from connections.models import DeliveryAttempt, MessageCopy
from connections.services.signing import certificates
from tests.connections.remote_peer import RemotePeer
from tests.connections.spark_peer import SparkLetter
from tests.factories.connections import make_certificate, make_external, shared_key
from tests.factories.people import make_member, make_vault
from tests.factories.spark import make_outbound, put
from tests.vaultadmin.outbound.peers import Peer, answer, server_context
from vaultadmin import clock
from vaultadmin.permissions import Permission

pytestmark = pytest.mark.django_db
EXAMPLE = Path("examples/receiver")
HOST = "receiver.example.com"


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, authority):
    made = tmp_path_factory.mktemp("receiver")
    authority.cert_pem.write_to_path(made / "ca.pem")
    leaf = authority.issue_cert(HOST)
    (made / "tls.pem").write_bytes(leaf.private_key_and_cert_chain_pem.bytes())
    return made


class Example:
    """The script in a process of its own, and a certificate it can fetch from the sender."""

    def __init__(self, folder, authority, pem):
        self.sender = Peer(server_context(authority.issue_cert("localhost")), answer(pem.encode()))
        arguments = ["--url", f"https://{HOST}", "--tls", folder / "tls.pem", "--port", "0"]
        sender = f"https://localhost:{self.sender.port}"
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLE / "receiver.py", *arguments, "--certificates", sender],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"SSL_CERT_FILE": str(folder / "ca.pem")},
        )
        self.port = self.told()["listening"]
        self.trust = ssl.create_default_context(cafile=folder / "ca.pem")

    def told(self):
        return json.loads(self.process.stdout.readline())

    def post(self, body, headers, path="/spark"):
        connection = http.client.HTTPSConnection(HOST, 443, timeout=10, context=self.trust)
        connection._create_connection = lambda *_a, **_m: socket.create_connection(("127.0.0.1", self.port), 10)
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
        connection.close()
        return status, self.told()

    def end(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.sender.close()


@pytest.fixture(scope="module")
def pem():
    return signed_json.certificate_pem(certificates._self_signed(shared_key(), "Sender", clock.now()))


@pytest.fixture(scope="module")
def example(folder, authority, pem):
    made = Example(folder, authority, pem)
    yield made
    made.end()


@pytest.fixture
def letter():
    class Anywhere(SparkLetter):
        path, url = "/spark", f"https://{HOST}/spark"

    return Anywhere(RemotePeer(1001, key=shared_key()), None)


@pytest.fixture
def sender(settings, folder):
    make_certificate()
    settings.OUTBOUND_CA_BUNDLE = str(folder / "ca.pem")
    owner = make_member(make_vault(), *Permission)
    return owner, make_outbound(owner, make_external(owner, url=f"https://{HOST}/spark?tenant=a"))


def test_message_we_send_is_believed_by_a_receiver_of_another_make(settings, example, sender):
    owner, queue = sender
    settings.OUTBOUND_RESOLVE = f"{HOST}:443=127.0.0.1:{example.port}"
    put(queue, owner, attributes={"name": "Zürich", "vault": "${Vault.name}"}, items=["V1|2"])

    draining.drain()

    copy = MessageCopy.objects.get()
    assert copy.state == "delivered", DeliveryAttempt.objects.get().error
    assert example.told() == {"accepted": str(copy.message_id), "new": True}


def test_repeated_message_is_known(example, letter):
    body, headers = letter.raw(), letter.headers()

    first, second = (example.post(body, headers) for _ in range(2))

    assert first == (200, {"accepted": str(letter.message_id), "new": True})
    assert second == (200, {"accepted": str(letter.message_id), "new": False})


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (lambda letter: (letter.raw() + b" ", letter.headers()), "wrong signature"),
        (lambda letter: (letter.raw(), letter.headers(url=f"https://{HOST}/other")), "another address"),
        (lambda letter: (letter.raw(), letter.headers(sent_at=clock.now() - timedelta(hours=1))), "too old"),
        (lambda letter: (letter.raw(), letter.headers() | {"X-VaultAPISignature-CertificateId": "../1"}), "no cert"),
        (lambda letter: (letter.raw(), {}), "signature-url"),
        (lambda letter: (b"[]", letter.headers(b"[]")), "indices"),
    ],
    ids=["changed body", "other address", "old", "path as certificate", "unsigned", "no message"],
)
def test_what_its_sender_did_not_sign_is_refused(example, letter, forge, why):
    status, told = example.post(*forge(letter))

    assert status == 401
    assert why in told["refused"]


def test_body_beyond_the_largest_message_is_refused(example):
    assert example.post(b"x" * (272 * 1024 + 1), {})[0] == 413


def test_openssl_alone_verifies_a_message_from_the_wire(settings, folder, authority, sender, tmp_path):
    owner, queue = sender
    wire = Peer(server_context(authority.issue_cert(HOST)), answer())
    settings.OUTBOUND_RESOLVE = f"{HOST}:443=127.0.0.1:{wire.port}"
    put(queue, owner, attributes={"name": "Zürich"}, items=["V1|2"])
    draining.drain()
    wire.close()
    head, _, body = wire.requests[0].partition(b"\r\n\r\n")
    (tmp_path / "headers.txt").write_bytes(head + b"\r\n")
    (tmp_path / "00001.pem").write_text(make_certificate().pem)

    results = []
    for kept in (body, body.replace(b"V1|2", b"V1|3")):
        (tmp_path / "body.bin").write_bytes(kept)
        command = ["sh", EXAMPLE.resolve() / "verify.sh", "headers.txt", "body.bin", "00001.pem"]
        results.append(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False))

    assert [(result.returncode, result.stdout.strip()) for result in results] == [
        (0, "Verified OK"),
        (1, "Verification failure"),
    ]
