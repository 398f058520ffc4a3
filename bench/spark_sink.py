"""A receiver that answers every message at once and remembers their ids, so that what is measured is the sender.

`python -m bench.spark_sink PORT [CERTIFICATE KEY]`, over TLS with a certificate. GET tells how many POSTs came and how
many different messages they were, and forgets them. What is posted below /dead is never answered.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys

_END = b"\r\n\r\n"
_MESSAGE = b"x-vaultapisignature-requestid:"
_LENGTH = b"content-length:"
_OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK"
DEAD = "/dead"


class Heard:
    """What came to all connections since it was asked last."""

    def __init__(self) -> None:
        self.posts = 0
        self.messages: set[bytes] = set()

    def told(self) -> bytes:
        """The figures as an HTTP answer; they begin anew."""
        body = json.dumps({"posts": self.posts, "messages": len(self.messages)}).encode()
        self.posts, self.messages = 0, set()
        return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode("ascii") + body


class Sink(asyncio.Protocol):
    """One connection: requests one after the other, each answered as soon as it is whole."""

    def __init__(self, heard: Heard) -> None:
        self._heard = heard
        self._transport: asyncio.Transport | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while self._transport is not None and _END in self._held:
            head, rest = self._held.split(_END, 1)
            lines = head.lower().split(b"\r\n")
            length = int(_value(lines, _LENGTH) or b"0")
            if len(rest) < length:
                return
            self._held = rest[length:]
            if lines[0].startswith(b"get "):
                self._transport.write(self._heard.told())
            elif f" {DEAD}".encode("ascii") not in lines[0]:
                self._heard.posts += 1
                self._heard.messages.add(_value(lines, _MESSAGE))
                self._transport.write(_OK)


def _value(lines: list[bytes], name: bytes) -> bytes:
    return next((line[len(name) :].strip() for line in lines if line.startswith(name)), b"")


async def serve(port: int, certificate: str = "", key: str = "") -> None:
    """Answer until cancelled."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    heard = Heard()
    server = await asyncio.get_running_loop().create_server(lambda: Sink(heard), "127.0.0.1", port, ssl=context)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), *sys.argv[2:4]))
