"""Rules of single fields: API names, record ids, URLs with tokens. Pure; one sentence per refusal."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import quote

from connections.constants import RECORD_ID_PREFIX, RESERVED_API_NAMES
from vaultadmin.outbound import UrlRefused, check_url

API_NAME_LENGTH = 40
URL_LENGTH = 2000
_CUSTOMER_NAME = re.compile(r"[a-z0-9]+(?:_+[a-z0-9]+)*")
_STANDARD_NAME = re.compile(r"[a-z0-9]+(?:[_-]+[a-z0-9]+)*")
# What customers make ends in __c; the same two patterns stand in the database (veeva-core section 1).
OWN_NAME = r"^[a-z0-9]+(_+[a-z0-9]+)*__c$"
STANDARD_NAME = r"^[a-z0-9]+(_+[a-z0-9]+)*$"
_OWN_SUFFIX = "__c"
_OWN = re.compile(OWN_NAME.strip("^$"))
_TOKEN = re.compile(r"\$\{([A-Za-z][A-Za-z0-9]{0,39})\.([A-Za-z][A-Za-z0-9_]{0,58})\}")
# Stands for a token while the rest of a URL is judged; a word that is valid in a host name and in a path.
_PLACEHOLDER = "token.example"


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


def tokens_in(url: str) -> list[str]:
    """The tokens `${Family.Name}` of a URL, in order, as written."""
    return [match.group(0) for match in _TOKEN.finditer(url)]


def check_connection_url(url: str) -> None:
    """https, standard port, valid host; tokens may stand anywhere in it after `https://`."""
    if len(url) > URL_LENGTH:
        raise RuleBroken(f"URL can have at most {URL_LENGTH} characters.")
    if not url.startswith("https://"):
        raise RuleBroken("URL must start with https:// because connections only use HTTPS.")
    bare = _TOKEN.sub(_PLACEHOLDER, url)
    if "${" in bare:
        raise RuleBroken("A token in a URL is written ${Family.Name}, for example ${Vault.id}.")
    _judge(bare)


def resolve_url(url: str, values: Mapping[str, str]) -> str:
    """Put values (keyed `vault.id`, lower case) in place of tokens and judge the result as it would be called.

    Values are percent-encoded, so none of them can move the call to another scheme, host or port.
    """
    missing = [token for token in tokens_in(url) if _key(token) not in values]
    if missing:
        raise RuleBroken(f"The URL holds the token {missing[0]}, which has no value in this Vault.")
    resolved = _TOKEN.sub(lambda match: quote(values[_key(match.group(0))], safe=""), url)
    _judge(resolved)
    return resolved


def _key(token: str) -> str:
    return token[2:-1].lower()


def _judge(url: str) -> None:
    try:
        check_url(url)
    except UrlRefused as error:
        raise RuleBroken(str(error)) from error
