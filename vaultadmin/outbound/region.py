"""Whether an address given by the eCOA service may receive the system secret.

The region URL is an answer from outside, and the next call posts the secret there. So its host must be one the
operator named, or lie below one.
"""

from collections.abc import Collection

from .urls import STANDARD_PORT, UrlRefused, parse_url


def region_allowed(url: str, suffixes: Collection[str]) -> bool:
    """True only for an https URL on the standard port whose host equals a suffix or ends in a dot and the suffix.

    Addresses never match, nor do international names below a suffix: a look-alike must not get this far.
    """
    try:
        target = parse_url(url)
    except UrlRefused:
        return False
    if target.literal is not None or target.port != STANDARD_PORT:
        return False
    return any(_lies_below(target.host, suffix.strip().lower().strip(".")) for suffix in suffixes)


def _lies_below(host: str, suffix: str) -> bool:
    if not suffix:
        return False
    return host == suffix or (host.endswith(f".{suffix}") and "xn--" not in host.removesuffix(suffix))
