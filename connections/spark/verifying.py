"""Read a signed request strictly, and check its signature and its time (veeva-core section 6.4). Pure.

Nothing here looks a certificate up: the caller takes the id that was read, finds the key in its own tables, and comes
back with it. No part of a request leads to a file or an address.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from connections.shape import read_base64
from connections.spark.signing import LEGACY_SIGNATURE, SIGNATURE, SIGNED_PREFIX, is_signed, string_to_verify

TOLERANCE: Final = timedelta(seconds=300)
MAX_VALUE: Final = 4_096

_FAMILY: Final = "x-vaultapi"
_LATEST: Final = 2**63 - 1
_CERTIFICATE_ID: Final = re.compile(r"[0-9]{5}")
_VAULT_ID: Final = re.compile(r"[1-9][0-9]{0,18}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_BASE64_LINES: Final = re.compile(r"[ \t\r\n]+")
_REQUIRED: Final = (
    "certificateid",
    "executionid",
    "requestdatetime",
    "requestid",
    "requestnotafter",
    "requestnotbefore",
    "requesttype",
    "url",
    "vaultid",
)


class SignatureRefused(ValueError):
    """The request is not one we believe; the sentence is for our own log, never for the caller."""


@dataclass(frozen=True)
class SignedRequest:
    """The headers of a request, read but not believed yet: see `verify` and `check_time`."""

    certificate_id: str
    execution_id: str
    sent_at: datetime
    request_id: str
    not_after: datetime
    not_before: datetime
    request_type: str
    url: str
    vault_id: int
    signed: dict[str, str]
    signature: bytes

    def verify(self, body: bytes, key: rsa.RSAPublicKey) -> None:
        """This key signed these headers, this body and this URL, or SignatureRefused."""
        signed = string_to_verify(self.signed, body, self.url)
        try:
            key.verify(self.signature, signed, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature as error:
            raise SignatureRefused("The signature does not fit the request.") from error

    def check_time(self, now: datetime) -> None:
        """Now lies in the window the sender set, five minutes of tolerance on both ends, or SignatureRefused."""
        if not self.not_before - TOLERANCE <= now <= self.not_after + TOLERANCE:
            raise SignatureRefused(
                f"The request was signed at {self.sent_at:%Y-%m-%d %H:%M:%S} UTC and came at {now:%Y-%m-%d %H:%M:%S} "
                "UTC: it is old, or one of the two clocks is wrong."
            )


def read_request(headers: Iterable[tuple[str, str]], *, urls: Collection[str]) -> SignedRequest:
    """Read the headers of a request that came in at one of `urls`, or SignatureRefused.

    Every required header stands there exactly once, whatever the case of its name. Signed headers we do not know are
    part of the signed string and otherwise ignored. A name with an underscore that a gateway might take for one of
    ours is refused.
    """
    found = _ours(headers)
    values = {name: _required(found, SIGNED_PREFIX + name) for name in _REQUIRED}
    if values["url"] not in urls:
        raise SignatureRefused("The URL that was signed is not the one this request came in at.")
    return SignedRequest(
        certificate_id=_matching(values, "certificateid", _CERTIFICATE_ID),
        execution_id=values["executionid"],
        sent_at=_instant(values, "requestdatetime"),
        request_id=values["requestid"],
        not_after=_instant(values, "requestnotafter"),
        not_before=_instant(values, "requestnotbefore"),
        request_type=values["requesttype"],
        url=values["url"],
        vault_id=_vault_id(values),
        signed={name: value for name, value in found.items() if is_signed(name)},
        signature=_base64(_required(found, SIGNATURE.lower())),
    )


def _ours(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers that matter, by small letters, each at most once."""
    found: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.lower(), raw_value.strip(" \t")
        if not name.replace("_", "-").startswith(_FAMILY):
            continue
        if "_" in name or name in found:
            raise SignatureRefused(f"The header {name[:80]} stands there twice or under a look-alike name.")
        if len(value) > MAX_VALUE:
            raise SignatureRefused(f"The header {name[:80]} is too long.")
        # Base64 may be folded by a sender's MIME encoder; nothing else may hold control characters.
        if name not in (SIGNATURE.lower(), LEGACY_SIGNATURE.lower()) and _CONTROL.search(value):
            raise SignatureRefused(f"The header {name[:80]} holds control characters.")
        if not (value.isascii() or _is_utf8(value)):
            raise SignatureRefused(f"The header {name[:80]} holds half of a surrogate pair.")
        found[name] = value
    return found


def _is_utf8(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _required(found: dict[str, str], name: str) -> str:
    if not (value := found.get(name, "")):
        raise SignatureRefused(f"The header {name} is missing or empty.")
    return value


def _matching(values: dict[str, str], name: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(values[name]):
        raise SignatureRefused(f"The header {SIGNED_PREFIX}{name} is not written as it should be.")
    return values[name]


def _vault_id(values: dict[str, str]) -> int:
    number = int(_matching(values, "vaultid", _VAULT_ID))
    if number > _LATEST:
        raise SignatureRefused("The vault id is larger than any there is.")
    return number


def _instant(values: dict[str, str], name: str) -> datetime:
    """An ISO-8601 UTC time with or without fractions."""
    text = values[name]
    try:
        if not _INSTANT.fullmatch(text):
            raise ValueError("not a UTC time")
        instant = datetime.fromisoformat(text)
        # The tolerance is added to it later and must not leave the calendar.
        if not 1970 <= instant.year < 9999:
            raise ValueError("not a time of ours")
    except ValueError as error:
        raise SignatureRefused(f"The header {SIGNED_PREFIX}{name} is not a UTC time.") from error
    return instant


def _base64(text: str) -> bytes:
    """Standard alphabet in its one writing; line breaks of a MIME encoder are tolerated, nothing else is."""
    joined = _BASE64_LINES.sub("", text)
    try:
        return read_base64(joined)
    except ValueError as error:
        raise SignatureRefused("The signature is not Base64.") from error
