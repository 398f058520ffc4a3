"""An eCOA that answers at once and keeps nothing, so that what is measured is our side.

`python -m bench.sink PORT CERTIFICATE KEY REGION`. It speaks TLS and the calls a run
makes; a participant's ID there is made from its internalId, so that an answer put to the wrong row is seen.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from typing import Any
from urllib.parse import urlsplit

_TOKEN = json.dumps({"jwt": "bench.bench.bench"}).encode()
_END = b"\r\n\r\n"


def remote_id(internal_id: str) -> str:
    """What this service calls a participant."""
    return f"remote-{internal_id}"


class Sink(asyncio.Protocol):
    """One connection: requests one after the other, each answered as soon as it is whole."""

    def __init__(self, region: str) -> None:
        self._region = region
        self._transport: asyncio.Transport | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while self._transport is not None and _END in self._held:
            head, rest = self._held.split(_END, 1)
            length = _length(head)
            if len(rest) < length:
                return
            self._held = rest[length:]
            path = urlsplit(head.split(b" ", 2)[1].decode("ascii")).path
            body = _answer(path, rest[:length], self._region)
            lead = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self._transport.write(lead.encode("ascii") + body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _colon, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _answer(path: str, body: bytes, region: str) -> bytes:
    if path.endswith("/discover-study-site"):
        return _success({"region": region})
    if path.endswith("/authorize"):
        return _TOKEN
    return _success(remote_id(json.loads(body)["internalId"]))


def _success(data: Any) -> bytes:
    answer = {"responseStatus": "SUCCESS", "responseMessage": "", "errorType": None, "errors": [], "data": [data]}
    return json.dumps(answer).encode()


async def serve(port: int, certificate: str, key: str, region: str) -> None:
    """Answer until cancelled."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.get_running_loop().create_server(lambda: Sink(region), "127.0.0.1", port, ssl=context)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:5]))
