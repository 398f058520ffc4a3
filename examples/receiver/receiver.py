"""Receives Spark messages over TLS and believes only what their sender signed for this address; see README.md."""

import argparse
import base64
import json
import re
import ssl
import urllib.request
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

PREFIX, TOLERANCE, MOST = "x-vaultapisignature-", timedelta(minutes=5), 272 * 1024
seen = set()


@lru_cache  # a certificate never changes under its id, so it is read once
def key_of(source, certificate_id):
    if not re.fullmatch("[0-9]{5}", certificate_id):  # it becomes part of a path: nothing else may stand there
        raise ValueError("no certificate id")
    if source.startswith("https://"):
        address = f"{source}/api/v25.3/services/certificate/{certificate_id}"
        with urllib.request.urlopen(address, timeout=10) as answer:
            pem = answer.read(65_536)
    else:
        pem = Path(source, f"{certificate_id}.pem").read_bytes()
    return x509.load_pem_x509_certificate(pem).public_key()


def verify(headers, body, url, source):
    """The id of a message that its sender signed for this address, now; an error when it is not."""
    ours = sorted((name.lower(), value.strip()) for name, value in headers if name.lower().startswith("x-vaultapi"))
    given = dict(ours)
    if len(given) != len(ours):
        raise ValueError("a header stands there twice")
    lines = "".join(f"{name}:{value}\n" for name, value in ours if name.startswith(PREFIX))
    signed = lines.encode() + body + b"\n" + given[PREFIX + "url"].encode()
    signature = base64.b64decode(given["x-vaultapi-signaturev2"], validate=True)
    key_of(source, given[PREFIX + "certificateid"]).verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    begin, end = (datetime.fromisoformat(given[f"{PREFIX}request{name}"]) for name in ("notbefore", "notafter"))
    if not begin - TOLERANCE <= datetime.now(UTC) <= end + TOLERANCE:
        raise ValueError("too old, or a clock is wrong")
    if (given[PREFIX + "url"], given[PREFIX + "requestid"]) != (url, json.loads(body)["message_id"]):
        raise ValueError("signed for another address, or for another message")
    return given[PREFIX + "requestid"]


class Receiver(BaseHTTPRequestHandler):
    protocol_version, timeout = "HTTP/1.1", 30

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(min(length, MOST + 1))
        try:
            message_id = verify(self.headers.items(), body, options.url + self.path, options.certificates)
            status, told = 200, {"accepted": message_id, "new": message_id not in seen}
            seen.add(message_id)  # keep message and id in one transaction instead, and answer when it is committed
        except (InvalidSignature, LookupError, OSError, TypeError, ValueError) as error:
            status, told = 413 if length > MOST else 401, {"refused": str(error) or "wrong signature"}
        self.close_connection = status != 200
        print(json.dumps(told), flush=True)  # the reason is for us: whoever is refused learns nothing
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", required=True, help="how this receiver is addressed, without path: https://host")
    parser.add_argument("--certificates", required=True, help="the sender's https://host, or a folder with 00001.pem …")
    parser.add_argument("--tls", required=True, help="PEM file with this receiver's TLS certificate and private key")
    parser.add_argument("--port", type=int, default=8443)
    options = parser.parse_args()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls)
    server = ThreadingHTTPServer(("127.0.0.1", options.port), Receiver)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(json.dumps({"listening": server.server_address[1]}), flush=True)
    server.serve_forever()
