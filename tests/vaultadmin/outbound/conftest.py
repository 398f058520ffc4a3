import asyncio
from contextlib import ExitStack

import pytest
import trustme

from tests.vaultadmin.outbound.peers import HOST, Peer, recorded_dials, server_context
from vaultadmin.outbound import AsyncDoor, Door, Policy


class RunningAsyncDoor:
    def __init__(self, policy, limit):
        self._runner = asyncio.Runner()
        self._door = AsyncDoor(limit, policy=policy)
        self._runner.run(self._door.__aenter__())

    def send(self, *args, **options):
        return self._runner.run(self._door.send(*args, **options))

    def close(self):
        self._runner.run(self._door.__aexit__(None, None, None))
        self._runner.close()


@pytest.fixture(params=["blocking", "async"])
def open_door(request):
    with ExitStack() as stack:

        def open_with(policy):
            door = Door(policy) if request.param == "blocking" else RunningAsyncDoor(policy, limit=8)
            stack.callback(door.close)
            return door

        yield open_with


@pytest.fixture(scope="session")
def authority():
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_bundle(authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("trust") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture(scope="session")
def good_context(authority):
    return server_context(authority.issue_cert(HOST))


@pytest.fixture
def serve(good_context):
    with ExitStack() as stack:

        def start(script, context=good_context):
            peer = Peer(context, script)
            stack.callback(peer.close)
            return peer

        yield start


@pytest.fixture
def policy_for(ca_bundle):
    def make(*peers, trusting=ca_bundle):
        names = (HOST, "second.example.com", "third.example.com")
        routes = ",".join(f"{name}:443=127.0.0.1:{peer.port}" for name, peer in zip(names, peers, strict=False))
        return Policy.parse(resolve=routes, ca_bundle=trusting)

    return make


@pytest.fixture
def dials():
    with recorded_dials() as dialled:
        yield dialled
