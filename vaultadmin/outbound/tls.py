"""The one TLS configuration of the network door: at least 1.2, certificate and name always checked."""

import os
import ssl
from functools import lru_cache

import certifi


class TrustUnavailable(Exception):
    """No connection can be judged because our own trust store is unusable; the message is one sentence."""


def context_for(ca_bundle: str) -> ssl.SSLContext:
    """A shared context trusting the public authorities and those in `ca_bundle`, read again when the file changes.

    Nothing comes from the environment: SSL_CERT_FILE and its kin would let whoever sets them read everything we send.
    """
    if not ca_bundle:
        return _build_context("", 0, 0)
    try:
        status = os.stat(ca_bundle)
        return _build_context(ca_bundle, status.st_mtime_ns, status.st_size)
    except OSError as error:  # ssl.SSLError is one
        raise TrustUnavailable("The file of certificate authorities (VAULTADMIN_CA_BUNDLE) cannot be used.") from error


@lru_cache(maxsize=4)
def _build_context(ca_bundle: str, _changed: int, _size: int) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Off by standard, on by default: a certificate would be accepted for the name in its free-text subject.
    context.hostname_checks_common_name = False
    context.set_alpn_protocols(["http/1.1"])
    context.load_verify_locations(cafile=certifi.where())
    if ca_bundle:
        context.load_verify_locations(cafile=ca_bundle)
    return context
