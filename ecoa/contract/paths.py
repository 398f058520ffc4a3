"""Where the four calls live: version rule, regions and URL builders."""

import re
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote, urlencode

from ecoa.contract.errors import InvalidRequest

DEFAULT_VERSION = "v24.3"
_VERSION = re.compile(r"v\d+\.\d", re.ASCII)


class Region(StrEnum):
    """The regional stores; discovery tells which one holds a site."""

    US = "us"
    EU = "eu"
    AP = "ap"


def is_version(text: str) -> bool:
    """Whether `text` names an API version; the published ones are a year and one release digit (v24.3)."""
    return _VERSION.fullmatch(text) is not None


def discover_url(base: str, version: str = DEFAULT_VERSION) -> str:
    """`base` is the global address, with or without a slash at its end."""
    return _join(base, f"services/{_segment(version)}/discover-study-site")


def authorize_url(region: str, version: str = DEFAULT_VERSION) -> str:
    """`region` is the URL discovery answered, with or without a slash at its end."""
    return _join(region, f"auth/{_segment(version)}/authorize")


# All participants of a site have the same one.
@lru_cache(maxsize=256)
def participant_url(region: str, study: str, site: str, version: str = DEFAULT_VERSION) -> str:
    """The address of a site's participants: POST creates or updates one there."""
    return _join(region, f"services/{_segment(version)}/sponsor/{_segment(study)}/site/{_segment(site)}/participant")


def participant_query_url(region: str, study: str, site: str, internal_id: str, version: str = DEFAULT_VERSION) -> str:
    """The address that reads one participant back."""
    return f"{participant_url(region, study, site, version)}?{urlencode({'internalId': internal_id}, quote_via=quote)}"


def _join(base: str, path: str) -> str:
    return f"{base.rstrip('/')}/{path}"


def _segment(text: str) -> str:
    """One path segment. Dot segments would be folded away by whatever carries the URL, so they cannot be sent."""
    if text in ("", ".", ".."):
        raise InvalidRequest("An identifier in the address must not be empty or a dot segment.")
    return quote(text, safe="")
