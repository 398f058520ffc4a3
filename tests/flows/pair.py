import re
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trustme
from cryptography.hazmat.primitives import serialization

from tests.embedded.conftest import own_folder
from tests.tools import planting
from tests.tools.installation import Installation

ALPHA, BETA = "alpha.example.test", "beta.example.test"
# The same number on both sides: only the installation tells the two vaults apart.
VAULT = 1004
SIGNED = "X-VaultAPISignature-"


@contextmanager
def two_installations(folder: Path) -> Iterator[list[Installation]]:
    """Two installations that serve the demo world over TLS, each known to the other by its name."""
    authority = trustme.CA(organization_name="Throw-away")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    with ExitStack() as stack:
        pair = [Installation(stack.enter_context(own_folder())) for _ in range(2)]
        alpha, beta = pair
        for host, own, other, other_host in ((ALPHA, alpha, beta, BETA), (BETA, beta, alpha, ALPHA)):
            own.variables |= variables(folder, authority, host, other_host, other)
            planting.plant(own)
            stack.callback(own.end)
        for one in pair:
            one.begin()
        for one in pair:
            one.wait_until_up()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(load_the_demo_world, pair))
        yield pair


def variables(folder, authority, host, other_host, other):
    leaf = authority.issue_cert(host, "ecoa.demo.test", "localhost", "127.0.0.1")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{host}.key").write_bytes(key.private_bytes(*form))
    (folder / f"{host}.pem").write_bytes(b"".join(pem.bytes() for pem in leaf.cert_chain_pems))
    return {
        "VAULTADMIN_PUBLIC_URL": f"https://{host}",
        "VAULTADMIN_ALLOWED_HOSTS": f"localhost,127.0.0.1,{host}",
        "VAULTADMIN_TLS_CERT": str(folder / f"{host}.pem"),
        "VAULTADMIN_TLS_KEY": str(folder / f"{host}.key"),
        "VAULTADMIN_CA_BUNDLE": str(folder / "ca.pem"),
        "VAULTADMIN_OUTBOUND_RESOLVE": f"{other_host}:443=127.0.0.1:{other.port + 1}",
        "VAULTADMIN_EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
    }


def load_the_demo_world(installation):
    installation.manage("demo")
    assert installation.credentials


def ask(people, name, **fields):
    """Alpha's record and file, uploaded in Beta; the name of Beta's record."""
    alpha, _, beta, _ = people
    alpha.create(name, **fields)
    return beta.upload(alpha.download(name))


def binding(person, name):
    return person.installation.rows(
        "SELECT b.exchange, b.state, b.peer_installation_id, b.peer_vault_id, b.peer_certificate_id,"
        " b.peer_certificate_pem, b.peer_url"
        " FROM connections_binding b JOIN connections_connection c ON c.id = b.connection_id"
        " WHERE c.vault_id = %s AND c.api_name = %s ORDER BY b.id DESC",
        person.vault_id,
        name,
    )[0]


def six_words(person, name):
    """What the approver reads out to the other side."""
    html = person.page(f"admin/connections/{name}/complete/")
    words = re.search(r'class="six-words-phrase"[^>]*>([^<]+)<', html)[1].split()
    assert len(words) == 6
    return words


def ours(person):
    return person.installation.rows("SELECT id FROM vaultadmin_installation")[0][0]


def certificate(person):
    """What an installation signs with."""
    return person.installation.rows(
        "SELECT certificate_id, pem FROM connections_signingcertificate WHERE stage <> 'retired'"
        " ORDER BY certificate_id DESC"
    )[0]


def pinned(person, name):
    """The peer's certificates a record learned of since its file."""
    return person.installation.rows(
        "SELECT p.certificate_id, p.pem FROM connections_peercertificate p"
        " JOIN connections_binding b ON b.id = p.binding_id JOIN connections_connection c ON c.id = b.connection_id"
        " WHERE c.vault_id = %s AND c.api_name = %s AND p.retired_at IS NULL",
        person.vault_id,
        name,
    )


def retired_for_peers(person):
    """Whether every peer has confirmed that the old certificate counts no more."""
    [(waiting,)] = person.installation.rows(
        "SELECT count(*) FROM connections_binding b WHERE b.state = 'in_force' AND NOT EXISTS (SELECT 1 FROM"
        " connections_certificateannouncement a WHERE a.binding_id = b.id AND a.accepted AND a.retires_id IS NOT NULL)"
    )
    return waiting == 0


def unanswered(person):
    return person.installation.rows("SELECT id FROM connections_outgoingpeermessage WHERE settled_at IS NULL")


def shout(installation, method, lines, body):
    """One request as written here, byte for byte, over TLS."""
    trust = ssl.create_default_context(cafile=installation.variables["VAULTADMIN_CA_BUNDLE"])
    start = [f"{method} /v/{VAULT}/peering/connect HTTP/1.1", f"Host: {ALPHA}", *lines]
    end = [f"Content-Length: {len(body)}", "Connection: close", "", ""]
    with (
        socket.create_connection(("127.0.0.1", installation.port + 1), timeout=20) as plain,
        trust.wrap_socket(plain, server_hostname=ALPHA) as wire,
    ):
        wire.sendall("\r\n".join(start + end).encode() + body)
        return b"".join(iter(lambda: wire.recv(65_536), b""))
