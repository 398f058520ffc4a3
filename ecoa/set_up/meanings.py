"""What a failed step of the test means, and what to do about it. Everything here is read by people."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ecoa.client import errors

DNS, CONNECT, TLS, TIMEOUT, RESET, REDIRECT = "dns", "connect", "tls", "timeout", "reset", "redirect"
HTML, SIGN_IN_TOKEN, FOUND, SECRET_GONE = "html", "token", "found", "secret"  # pragma: allowlist secret
BROKE_OFF = "broke_off"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One failure: what it means and what to do."""

    means: str | Promise
    do: str | Promise


_UNLISTED = Meaning(
    _("eCOA refused for a reason that is not in its published list."),
    _("Send the code and the time to your Veeva project team."),
)
TABLE: dict[str, Meaning] = {
    DNS: Meaning(
        _("The host name of the base URL is not known."),
        _("Check the base URL for typing errors. If it is right, ask your network team why the name is not resolved."),
    ),
    CONNECT: Meaning(
        _("The name is known, but nobody answers at its address."),
        _("Ask your network team whether this server may call port 443 outside, and for this very host."),
    ),
    TLS: Meaning(
        _("The connection is not trustworthy: the certificate does not fit the host or its issuer is not known here."),
        _("Check the base URL. If your proxy opens TLS, an operator names its authority in VAULTADMIN_CA_BUNDLE."),
    ),
    TIMEOUT: Meaning(
        _("The call was accepted, but no answer came in time."),
        _("Test again in some minutes. If it stays, a firewall may swallow the answers: ask your network team."),
    ),
    RESET: Meaning(
        _("The connection broke off before the whole answer was there."),
        _("Test again. If it stays, ask your network team whether something between us and eCOA ends connections."),
    ),
    REDIRECT: Meaning(
        _("The address points somewhere else. We do not follow it, because secrets would go along."),
        _("Ask the project team for the right base URL."),
    ),
    HTML: Meaning(
        _("A web page came instead of an answer of the API: a proxy, a login page, or another site."),
        _("Check the base URL. If it is right, ask your network team for a way to this host without the proxy's page."),
    ),
    errors.UNREADABLE: Meaning(
        _("Something answered that is not the eCOA API."),
        _("Check the base URL and the API version with the project team."),
    ),
    errors.ADDRESS_REFUSED: Meaning(
        _("Our own network door does not call this address: it is not a public one over https on port 443."),
        _("Check the base URL. Only an operator can allow another address, with VAULTADMIN_OUTBOUND_ALLOW."),
    ),
    errors.REGION: Meaning(
        _("eCOA named a region whose host this installation does not trust, so no secret was sent there."),
        _(
            "Compare the host with what the project team told you. If it is right, an operator adds it to "
            "VAULTADMIN_ECOA_REGION_SUFFIXES."
        ),
    ),
    errors.SIGN_IN: Meaning(
        _(
            "eCOA does not accept the sign-in: the secret, the system ID or the tenant ID is wrong, or our address is "
            "not on its list."
        ),
        _(
            "Enter system ID, secret and tenant ID again, exactly as issued. Then have the project team check that our "
            "outbound address is allowed."
        ),
    ),
    SIGN_IN_TOKEN: Meaning(
        _("The sign-in worked, but the token is not accepted when reading."),
        _("Check with the project team that the system may read this study, and that our address is allowed there."),
    ),
    FOUND: Meaning(
        _("eCOA found a participant for an ID we made up a moment ago. This cannot be the real service."),
        _("Check the base URL and the region with the project team before anything is sent."),
    ),
    SECRET_GONE: Meaning(
        _("The secret cannot be opened here."),
        _("Enter it again in the step Credentials."),
    ),
    BROKE_OFF: Meaning(
        _("The test broke off every time it was begun, before it could say anything."),
        _("Ask an operator to look at the logs, then test again."),
    ),
    errors.BUSY: Meaning(
        _("eCOA is busy and asked us to come back later."),
        _("Test again in some minutes."),
    ),
    errors.SERVICE_FAULT: Meaning(
        _("eCOA had a fault of its own."),
        _("Test again in some minutes. If it stays, tell the project team the time of the test."),
    ),
    errors.UNEXPECTED_ERROR: Meaning(
        _("eCOA had an unexpected problem."),
        _("Test again in some minutes. If it stays, tell the project team the time of the test."),
    ),
    errors.BAD_REQUEST: Meaning(
        _("eCOA could not understand the call."),
        _("Look for unusual characters in study ID, sites and system ID."),
    ),
    "ID-0001": Meaning(
        _("eCOA does not accept one of the values we sent."),
        _("Look for unusual characters in study ID, sites and system ID."),
    ),
    "ID-0002": Meaning(
        _("eCOA knows the site, but as one of another study."),
        _("Compare study ID and site number with the project team."),
    ),
    "ID-0003": Meaning(
        _("eCOA says another participant has this ID, although the test sends none."),
        _("Send the code and the time to your Veeva project team."),
    ),
    "NF-0001": Meaning(
        _("eCOA does not know this address or API version."),
        _("Check the base URL and the API version; the published version is v24.3."),
    ),
    "NF-0002": Meaning(
        _("eCOA does not know the system ID, or no study of this ID is mapped to it."),
        _(
            "Compare system ID and study ID with the sheet you sent. If they are right, the project team has yet to "
            "make the study mapping."
        ),
    ),
    "NF-0003": Meaning(
        _("eCOA knows the study, but not a site with this number."),
        _("Check the number. If it is right, the project team has yet to set the site up in eCOA."),
    ),
    "NF-0004": Meaning(
        _("eCOA knows no participant there, which is the answer a test hopes for."),
        _("Nothing."),
    ),
    "IC-0001": Meaning(
        _("The set-up of this study in eCOA is incomplete, for example its region."),
        _("Tell the project team the code; only they can complete it."),
    ),
    "IC-0002": Meaning(
        _("The integration is not switched on in eCOA."),
        _("Ask the project team to switch the integration on for your system."),
    ),
    "IC-0003": Meaning(
        _("The link between your system and this study was taken away or never made."),
        _("Ask the project team to restore the study mapping."),
    ),
}
TABLE[errors.NO_ANSWER] = TABLE[RESET]
TABLE[errors.NOT_REACHED] = TABLE[CONNECT]


def meaning_of(code: str) -> Meaning:
    """What a code means; one nobody documented has words too."""
    return TABLE.get(code, _UNLISTED)
