"""As little as a TLS server in this language can cost: one thread, no event loop's layers, one read and one write."""

from __future__ import annotations

import re
import selectors
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_HOST = re.compile(rb"\r\nhost: *([^\r]*)", re.IGNORECASE)
_TOKEN = re.compile(rb"\r\nauthorization: *Bearer +([^\r]*)", re.IGNORECASE)
_PIECE = 65_536
_BACKLOG = 512


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    host: str
    token: str
    body: bytes


Reply = tuple[int, bytes]


class _Line:
    """One connection: requests one after the other, each answered as soon as it is whole."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.sock = sock
        self.is_open = False
        self.held = b""


class Server:
    """Answers until the process ends. `late` is how long every answer waits, in seconds."""

    def __init__(self, answer: Callable[[Asked], Reply], certificate: str, key: str, *, late: float = 0.0) -> None:
        self._answer = answer
        self._late = late
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate, key)
        self._selector = selectors.DefaultSelector()
        # All wait equally long, so the first in is the first out.
        self._waiting: deque[tuple[float, _Line, bytes]] = deque()

    def serve(self, port: int) -> None:
        listener = socket.create_server(("127.0.0.1", port), backlog=_BACKLOG)
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ)
        while True:
            for key, _events in self._selector.select(self._pause()):
                if key.data is None:
                    self._accept(listener)
                else:
                    self._serve(key.data)
            self._send_due()

    def _pause(self) -> float | None:
        return max(self._waiting[0][0] - time.monotonic(), 0.0) if self._waiting else None

    def _accept(self, listener: socket.socket) -> None:
        with suppress(BlockingIOError):
            plain, _peer = listener.accept()
            plain.setblocking(False)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            self._selector.register(sock, selectors.EVENT_READ, _Line(sock))

    def _serve(self, line: _Line) -> None:
        try:
            if not line.is_open:
                line.sock.do_handshake()
                line.is_open = True
            while piece := line.sock.recv(_PIECE):
                line.held += piece
                self._read(line)
        except ssl.SSLWantReadError:
            return
        except OSError:  # the client went away, politely or not
            pass
        self._close(line)

    def _read(self, line: _Line) -> None:
        while (end := line.held.find(_END)) >= 0:
            head = line.held[:end]
            found = _LENGTH.search(head)
            whole = end + len(_END) + (int(found[1]) if found else 0)
            if len(line.held) < whole:
                return
            body, line.held = line.held[end + len(_END) : whole], line.held[whole:]
            reply = _written(*self._answer(_asked(head, body)))
            if self._late:
                self._waiting.append((time.monotonic() + self._late, line, reply))
            else:
                line.sock.sendall(reply)

    def _send_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _due, line, reply = self._waiting.popleft()
            try:
                line.sock.sendall(reply)
            except OSError:  # nobody is there to hear it
                self._close(line)

    def _close(self, line: _Line) -> None:
        with suppress(KeyError, ValueError):
            self._selector.unregister(line.sock)
        line.sock.close()


def _asked(head: bytes, body: bytes) -> Asked:
    method, path, _version = head.split(b"\r\n", 1)[0].decode("ascii").split(" ")
    return Asked(method, path, _found(_HOST, head), _found(_TOKEN, head), body)


def _found(pattern: re.Pattern[bytes], head: bytes) -> str:
    found = pattern.search(head)
    return found[1].decode("ascii") if found else ""


def _written(status: int, body: bytes) -> bytes:
    lead = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return lead.encode("ascii") + body
