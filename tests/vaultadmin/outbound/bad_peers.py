"""Peers that lie about who they are, and peers that waste time or memory."""

import datetime

import trustme

from tests.vaultadmin.outbound.peers import HOST, drip, flood, hang, server_context

NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


class SelfSigned:
    def __init__(self, authority):
        self._authority = authority

    def configure_cert(self, context):
        pem = self._authority.cert_pem.bytes() + self._authority.private_key_pem.bytes()
        with trustme.Blob(pem).tempfile() as path:
            context.load_cert_chain(path)


BAD_PEERS = {
    "expired": lambda ca: server_context(ca.issue_cert(HOST, not_before=NOW - 9 * DAY, not_after=NOW - DAY)),
    "not yet valid": lambda ca: server_context(ca.issue_cert(HOST, not_before=NOW + DAY, not_after=NOW + 9 * DAY)),
    "wrong name": lambda ca: server_context(ca.issue_cert("other.example.com")),
    "wildcard of another level": lambda ca: server_context(ca.issue_cert("*.peer.example.com")),
    "name only as common name": lambda ca: server_context(ca.issue_cert("127.0.0.1", common_name=HOST)),
    "address instead of name": lambda ca: server_context(ca.issue_cert("127.0.0.1")),
    "unknown authority": lambda ca: server_context(trustme.CA().issue_cert(HOST)),
    "self-signed": lambda ca: server_context(SelfSigned(trustme.CA())),
    "TLS 1.1": lambda ca: server_context(ca.issue_cert(HOST), highest="TLSv1_1"),
    "TLS 1.0": lambda ca: server_context(ca.issue_cert(HOST), highest="TLSv1"),
}

OK = b"HTTP/1.1 200 OK\r\n"
GIGABYTE = 1 << 30
BLOCK = b"x" * 65_536

DRIPS = {
    "status line": drip(b"", b"HTTP/1.1 200 " + b"O" * 500),
    "header": drip(OK, b"X: " + b"y" * 500),
    "headers without end": drip(OK, b"X: y\r\n"),
    "body": drip(OK + b"Content-Length: 100000\r\n\r\n", b"z"),
    "chunk size": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "chunks": drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nz\r\n"),
    "body until close": drip(OK + b"Connection: close\r\n\r\n", b"z"),
    "interim answers": drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.001),
    "nothing": hang,
}

BIG_BODIES = {
    "announced": flood(OK + b"Content-Length: %d\r\n\r\n" % GIGABYTE, BLOCK),
    "chunked": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + BLOCK + b"\r\n"),
    "until close": flood(OK + b"Connection: close\r\n\r\n", BLOCK),
    "one chunk": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % GIGABYTE, BLOCK),
}

BIG_FRAMES = {
    "one header": flood(OK + b"X: ", BLOCK),
    "many headers": flood(OK, b"X: y\r\n" * 10_000),
    "long status line": flood(b"HTTP/1.1 200 ", BLOCK),
    "interim answers": flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000),
    "chunk extensions": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;" + b"e" * 4_000 + b"\r\nz\r\n"),
    "trailers": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 10_000),
    "chunk size": flood(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 65_536),
}
