"""Rules of single fields: API names, record ids, URLs with tokens. Pure; one sentence per refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

from connections import tokens
from connections.constants import RECORD_ID_PREFIX, RESERVED_API_NAMES
from connections.tokens import Family, Sources, Token, TokenRefused
from vaultadmin.outbound import UrlRefused, check_url

API_NAME_LENGTH = 40
URL_LENGTH = 2000
PATH_LENGTH = 500
_CUSTOMER_NAME = re.compile(r"[a-z0-9]+(?:_+[a-z0-9]+)*")
_STANDARD_NAME = re.compile(r"[a-z0-9]+(?:[_-]+[a-z0-9]+)*")
# What customers make ends in __c; the same two patterns stand in the database (veeva-core section 1).
OWN_NAME = r"^[a-z0-9]+(_+[a-z0-9]+)*__c$"
STANDARD_NAME = r"^[a-z0-9]+(_+[a-z0-9]+)*$"
_OWN_SUFFIX = "__c"
_OWN = re.compile(OWN_NAME.strip("^$"))
# What a token in the host may stand for is made of these; the whole host is judged once everything is resolved.
_DNS_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
# Stands for a token while the rest of a URL is judged; valid in a host name and in a path.
_PLACEHOLDER = "t.t"


class RuleBroken(ValueError):
    """A value breaks a rule of its field; the message is one sentence for the person who typed it."""


def check_api_name(value: str, *, standard: bool = False) -> None:
    """Lowercase letters, digits, and underscores between characters; ≤ 40. Standard connections may hold a hyphen."""
    if len(value) > API_NAME_LENGTH:
        raise RuleBroken(f"API Name can have at most {API_NAME_LENGTH} characters.")
    if not (_STANDARD_NAME if standard else _CUSTOMER_NAME).fullmatch(value):
        raise RuleBroken("API Name takes lowercase letters, digits, and underscores (_) between characters only.")
    if value in RESERVED_API_NAMES:
        raise RuleBroken(f"The API Name “{value}” is reserved; choose another one.")


def free_api_name(wanted: str, *, taken: Callable[[str], bool]) -> str:
    """`wanted`, or `wanted_2`, `wanted_3` … shortened to fit: the first name that is not taken."""
    number = 1
    while taken(candidate := numbered(wanted, number)):
        number += 1
    return candidate


def numbered(name: str, number: int) -> str:
    """The API name of the first, second … of its kind: `name`, `name_2`, `name_3`, shortened to fit."""
    if number == 1:
        return name
    suffix = f"_{number}"
    return name[: API_NAME_LENGTH - len(suffix)].rstrip("_-") + suffix


def check_own_name(value: str, *, label: str) -> None:
    """The API name of something a customer makes: as `check_api_name`, and it ends in `__c`."""
    if len(value) > API_NAME_LENGTH:
        raise RuleBroken(f"{label} can have at most {API_NAME_LENGTH} characters.")
    if not _OWN.fullmatch(value):
        raise RuleBroken(
            f"{label} takes lowercase letters, digits and underscores (_) between characters, and ends in __c, "
            "for example warranty_claims__c."
        )


def free_own_name(wanted: str, *, taken: Callable[[str], bool]) -> str:
    """A customer's name made from `wanted` by its ending `__c`, numbered when taken: `study__c`, `study_2__c` …"""
    stem = re.sub(r"__[a-z0-9]+$", "", wanted) or wanted
    number = 1
    while True:
        suffix = _OWN_SUFFIX if number == 1 else f"_{number}{_OWN_SUFFIX}"
        candidate = stem[: API_NAME_LENGTH - len(suffix)].rstrip("_") + suffix
        if not taken(candidate):
            return candidate
        number += 1


def record_id(number: int) -> str:
    """The 15-character record id of a connection."""
    return f"{RECORD_ID_PREFIX}{number:012d}"


def tokens_in(url: str) -> list[Token]:
    """The tokens of a URL, in order."""
    try:
        return tokens.find(url)
    except TokenRefused as error:
        raise RuleBroken(str(error)) from error


def host_tokens(url: str) -> list[Token]:
    """Those that stand in the host of a URL and decide where a call goes."""
    return tokens_in(_authority(url)[0])


def check_connection_url(url: str) -> None:
    """https, standard port, valid host; Vault and Custom tokens may stand anywhere in it after `https://`."""
    if len(url) > URL_LENGTH:
        raise RuleBroken(f"URL can have at most {URL_LENGTH} characters.")
    if not url.startswith("https://"):
        raise RuleBroken("URL must start with https:// because connections only use HTTPS.")
    _check_families(url)
    _judge(tokens.PATTERN.sub(_PLACEHOLDER, url))


def resolve_url(url: str, sources: Sources) -> str:
    """Put values in place of tokens and judge the result as it would be called.

    A value can never move the call: in the host only DNS labels may stand, everywhere else it is percent-encoded.
    """
    _check_families(url)
    authority, rest = _authority(url)
    try:
        resolved = "https://" + tokens.fill(authority, lambda token: _label(token, sources.value_of(token)))
        resolved += _within_path(rest, tokens.fill(rest, lambda token: _encoded(token, sources.value_of(token))))
    except TokenRefused as error:
        raise RuleBroken(str(error)) from error
    _judge(resolved)
    return resolved


def check_resolved_url(url: str) -> None:
    """Judge an address without tokens as it would be called."""
    if len(url) > URL_LENGTH + PATH_LENGTH:
        raise RuleBroken(f"The whole address can have at most {URL_LENGTH + PATH_LENGTH:,} characters.")
    _judge(url)


def _check_families(url: str) -> None:
    for token in tokens_in(url):
        if token.family in (Family.AUTH, Family.SESSION):
            raise RuleBroken(f"{token.text} cannot stand in a URL, which servers write down; it belongs in a header.")


def _authority(url: str) -> tuple[str, str]:
    """Host and port as written, and all that follows. Tokens hold none of the characters that end a host."""
    bare = url.removeprefix("https://")
    end = next((index for index, letter in enumerate(bare) if letter in "/?"), len(bare))
    return bare[:end], bare[end:]


def _label(token: Token, value: str) -> str:
    if not all(_DNS_LABEL.fullmatch(label) for label in value.split(".")):
        raise RuleBroken(
            f"The value of {token.text} cannot stand in the host of a URL: only letters, digits, hyphens and dots "
            "between them can."
        )
    return value


def _encoded(token: Token, value: str) -> str:
    try:
        return quote(value, safe="")
    except UnicodeEncodeError as error:
        raise RuleBroken(f"The value of {token.text} holds a character that cannot be written in a URL.") from error


def _within_path(written: str, resolved: str) -> str:
    """Refuse values that make a step up or no step: a server would read another path than the one written."""
    path, found = written.partition("?")[0], resolved.partition("?")[0]
    for before, after in zip(path.split("/"), found.split("/"), strict=True):
        if before != after and after in (".", ".."):
            raise RuleBroken(f"The value of {before} is “{after}”, which would lead to another path.")
    return resolved


def _judge(url: str) -> None:
    try:
        check_url(url)
    except UrlRefused as error:
        raise RuleBroken(str(error)) from error
