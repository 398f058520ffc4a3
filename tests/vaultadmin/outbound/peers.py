"""A TLS server on the loopback whose every answer is a script, and a record of all addresses this process dials."""

import errno
import socket
import ssl
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

HOST = "peer.example.com"

Script = Callable[[socket.socket, "Peer"], bool | None]


class Peer:
    """Runs `script` for each request; the connection stays open while it returns True."""

    def __init__(self, context: ssl.SSLContext | None, script: Script) -> None:
        self._context = context
        self._script = script
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.stopping = threading.Event()
        self.requests: list[bytes] = []
        self.connections = 0
        self._start(self._accept)

    def close(self) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, plain)

    def _serve(self, plain: socket.socket) -> None:
        sock: socket.socket = plain
        try:
            plain.settimeout(20)
            self._open.append(plain)
            if self._context is not None:
                sock = self._context.wrap_socket(plain, server_side=True)
                self._open.append(sock)
                while (request := read_request(sock)) is not None:
                    self.requests.append(request)
                    if not self._script(sock, self):
                        break
            else:
                self._script(sock, self)
        except (OSError, ValueError):
            pass
        finally:
            sock.close()


def read_request(sock: socket.socket) -> bytes | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65_536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += sock.recv(65_536)
    return head + b"\r\n\r\n" + body


def answer(
    body: bytes = b"hello", status: str = "200 OK", headers: tuple[str, ...] = (), keep: bool = True
) -> Callable[[socket.socket, Peer], bool]:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers))

    def script(sock: socket.socket, peer: Peer) -> bool:
        sock.sendall(head.encode("latin-1") + b"\r\n" + body)
        return keep

    return script


def drip(first: bytes, pieces: bytes, pause: float = 0.05) -> Script:
    def script(sock: socket.socket, peer: Peer) -> None:
        sock.sendall(first)
        while True:
            for byte in pieces:
                if peer.stopping.wait(pause):
                    return
                sock.sendall(bytes((byte,)))

    return script


def flood(first: bytes, piece: bytes) -> Script:
    def script(sock: socket.socket, peer: Peer) -> None:
        sock.sendall(first)
        while not peer.stopping.is_set():
            sock.sendall(piece)

    return script


def hang(sock: socket.socket, peer: Peer) -> None:
    peer.stopping.wait(20)


def raw(data: bytes) -> Script:
    def script(sock: socket.socket, peer: Peer) -> None:
        sock.sendall(data)

    return script


def server_context(certificate: object, *, highest: str = "TLSv1_3") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)  # type: ignore[attr-defined]
    if highest == "TLSv1_3":
        return context
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion[highest]
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


class _Dials:
    recording: list[tuple[str, int]] | None = None


def _watch(event: str, args: tuple[object, ...]) -> None:
    if event != "socket.connect" or _Dials.recording is None:
        return
    place = args[1]
    if not isinstance(place, tuple):
        return
    _Dials.recording.append((str(place[0]), place[1]))
    if not ip_address(place[0]).is_loopback:
        raise OSError(errno.ENETUNREACH, "no way out in tests")


sys.addaudithook(_watch)


@contextmanager
def recorded_dials() -> Iterator[list[tuple[str, int]]]:
    """Every address any socket of this process connects to. Only the loopback is let through."""
    _Dials.recording = []
    try:
        yield _Dials.recording
    finally:
        _Dials.recording = None
