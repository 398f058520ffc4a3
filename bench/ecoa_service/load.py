"""Callers that cost next to nothing: sockets that stay open and requests prepared beforehand."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.errors import BenchError

CONNECTIONS = 4
_SECONDS = 120
_JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@dataclass(frozen=True)
class Target:
    """A web server on the loopback interface."""

    port: int


def post(path: str, participant: str, internal: str, headers: Mapping[str, str] | None = None) -> bytes:
    """A whole POST request as bytes."""
    body = json.dumps({"participantId": participant, "internalId": internal}, separators=(",", ":")).encode()
    return _head("POST", path, {**_JSON, **(headers or {}), "Content-Length": str(len(body))}) + body


def post_raw(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """A whole POST request as bytes, of any JSON body."""
    return _head("POST", path, {**_JSON, **headers, "Content-Length": str(len(body))}) + body


def get(path: str, headers: Mapping[str, str]) -> bytes:
    """A whole GET request as bytes."""
    return _head("GET", path, {"Accept": "application/json", **headers})


def rate(target: Target, requests: Sequence[bytes], *, sign: bytes = b'SUCCESS"') -> float:
    """Answers per second from the first request to the last answer, all of them 200 with the sign of a success."""
    lines = [socket.create_connection(("127.0.0.1", target.port), timeout=_SECONDS) for _ in range(CONNECTIONS)]
    for line in lines:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    started = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        shares = [requests[number::CONNECTIONS] for number in range(CONNECTIONS)]
        list(threads.map(_send, lines, shares, [sign] * CONNECTIONS))
    seconds = time.perf_counter() - started
    for line in lines:
        line.close()
    return len(requests) / seconds


def _head(method: str, path: str, headers: Mapping[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _send(line: socket.socket, requests: Sequence[bytes], sign: bytes) -> None:
    for request in requests:
        line.sendall(request)
        answer = _answer(line)
        if not answer.startswith(b"HTTP/1.1 200") or sign not in answer:
            raise BenchError(f"A call was answered {answer[:300]!r}.")


def _answer(line: socket.socket) -> bytes:
    """One whole answer; each announces its length."""
    got = line.recv(65_536)
    while b"\r\n\r\n" not in got:
        got += _more(line)
    head, _, body = got.partition(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"content-length:")
    if not found:
        raise BenchError("An answer did not announce its length.")
    length = int(rest.split(b"\r\n", 1)[0])
    while len(body) < length:
        body += _more(line)
    return head + b"\r\n\r\n" + body


def _more(line: socket.socket) -> bytes:
    piece = line.recv(65_536)
    if not piece:
        raise BenchError("The server ended the connection.")
    return piece
