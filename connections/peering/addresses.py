"""Where a peer takes its messages, and whether this installation would call it there."""

from __future__ import annotations

from typing import Final

from vaultadmin.outbound import UrlRefused, check_url

LONGEST: Final = 1_900


class AddressRefused(ValueError):
    """The peer's address is not one this installation calls; one sentence."""


def message_url(peering_url: str, type_: str) -> str:
    """The address of one kind of message below a peer's peering address, judged before anything is called."""
    check_peering_url(peering_url)
    return f"{peering_url}{type_}"


def check_peering_url(peering_url: str) -> None:
    """https on the standard port of a public host, with nothing behind its last slash, or AddressRefused."""
    try:
        check_url(peering_url)
    except UrlRefused as error:
        raise AddressRefused(str(error)) from error
    if not peering_url.endswith("/") or "?" in peering_url or len(peering_url) > LONGEST:
        raise AddressRefused("The URL must be short, end with a slash and have no query.")
