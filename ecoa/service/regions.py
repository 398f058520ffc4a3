"""Which regions this installation has and under which URL a caller finds each."""

from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from ecoa.contract import Region


def is_configured(region: str) -> bool:
    """Whether participants of this region can be reached from here."""
    named = _named_urls(settings.ECOA_REGIONS)
    return region in (named or list(Region))


def url_of(region: str, *, origin: str) -> str:
    """The region's base URL: what the settings name, else below the origin discovery was asked at."""
    named = _named_urls(settings.ECOA_REGIONS)
    return named[region] if named else f"{origin}/myveeva/{region}/"


def other_than(region: str) -> str:
    """The region after this one in the list of those this installation has; itself when it is the only one."""
    named = list(_named_urls(settings.ECOA_REGIONS) or Region)
    place = named.index(region) if region in named else -1
    return named[(place + 1) % len(named)]


@lru_cache(maxsize=4)
def _named_urls(text: str) -> dict[str, str]:
    """Read `us=https://…,eu=https://…`; an answer always ends in a slash."""
    urls: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        region, found, url = part.partition("=")
        if not found or not url.strip().startswith("https://"):
            raise ImproperlyConfigured(
                "VAULTADMIN_ECOA_REGIONS must read region=https://host/,… with one URL a region."
            )
        urls[region.strip()] = url.strip().rstrip("/") + "/"
    return urls
