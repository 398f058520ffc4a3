from contextlib import ExitStack

import pytest
import trustme

from tests.factories.connections import make_external
from tests.factories.spark import make_outbound, make_spark_admin
from tests.vaultadmin.outbound.peers import Peer, recorded_dials, server_context

HOST = "rtsm.example.com"


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_bundle(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("spark") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def tls(authority):
    return server_context(authority.issue_cert(HOST, "*.example.com"))


@pytest.fixture
def listen(settings, ca_bundle, tls):
    settings.OUTBOUND_CA_BUNDLE = ca_bundle
    routes = []
    with ExitStack() as stack:

        def start(script, host=HOST, context=tls):
            peer = Peer(context, script)
            stack.callback(peer.close)
            routes.append(f"{host}:443=127.0.0.1:{peer.port}")
            settings.OUTBOUND_RESOLVE = ",".join(routes)
            return peer

        yield start


@pytest.fixture
def dials():
    with recorded_dials() as dialled:
        yield dialled


@pytest.fixture
def admin(db):
    return make_spark_admin()


@pytest.fixture
def connection(admin):
    return make_external(admin, api_name="rtsm")


@pytest.fixture
def queue(admin, connection):
    return make_outbound(admin, connection, name="updates__c")


@pytest.fixture
def in_order(admin, connection):
    return make_outbound(admin, connection, sequential=True)
