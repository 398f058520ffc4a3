"""Code → what happened, what to do and who acts, in words for people who never saw an HTTP status.

Every documented code and every code of ours has an entry; a test walks the contract's table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ecoa.client import errors


class Acts(StrEnum):
    """Who has to do something next."""

    NOBODY = "nobody"
    SITE = "site"
    STUDY_TEAM = "study_team"
    ECOA = "ecoa"


ACTS_LABELS: dict[Acts, str | Promise] = {
    Acts.NOBODY: _("Nobody, it goes on by itself"),
    Acts.SITE: _("You"),
    Acts.STUDY_TEAM: _("Study team"),
    Acts.ECOA: _("eCOA support"),
}


@dataclass(frozen=True, slots=True)
class Words:
    """One situation, told to a person."""

    happened: str | Promise
    do: str | Promise
    acts: Acts


UNLISTED = Words(
    _("eCOA refused this participant for a reason it does not publish."),
    _("Ask the study team; the code is under Details for support."),
    Acts.STUDY_TEAM,
)

TABLE: dict[str, Words] = {
    "UE-0001": Words(
        _("eCOA had an unexpected problem with this participant."),
        _("The study team sends it again. If it stays, they ask eCOA support."),
        Acts.STUDY_TEAM,
    ),
    "ID-0001": Words(
        _("eCOA did not accept the participant ID or the internal ID."),
        _("Check both values in the source system, correct them and send again."),
        Acts.STUDY_TEAM,
    ),
    "ID-0002": Words(
        _("eCOA does not know this site as part of this study."),
        _("The study team checks the site number in the study mapping."),
        Acts.STUDY_TEAM,
    ),
    "ID-0003": Words(
        _("Another participant in eCOA already has this participant ID."),
        _("Compare the two participants with the study team before anything is changed."),
        Acts.SITE,
    ),
    "NF-0001": Words(
        _("eCOA does not know the address or version we called."),
        _("The study team checks the API version in the study mapping."),
        Acts.STUDY_TEAM,
    ),
    "NF-0002": Words(
        _("eCOA does not know this study for our system."),
        _("The study team checks the study ID and the system ID in the study mapping."),
        Acts.STUDY_TEAM,
    ),
    "NF-0003": Words(
        _("eCOA does not know this site."),
        _("The study team checks that the site is set up in eCOA under the same number."),
        Acts.STUDY_TEAM,
    ),
    "NF-0004": Words(
        _("eCOA does not have this participant at this site."),
        _("The study team sends the participant again."),
        Acts.STUDY_TEAM,
    ),
    "IC-0001": Words(
        _("The set-up of this study in eCOA is incomplete."),
        _("The study team asks eCOA support to complete it."),
        Acts.ECOA,
    ),
    "IC-0002": Words(
        _("Sending participants is switched off for our system in eCOA."),
        _("The study team asks eCOA support to switch it on."),
        Acts.ECOA,
    ),
    "IC-0003": Words(
        _("The link between our study and eCOA was taken away."),
        _("The study team asks eCOA support to restore it."),
        Acts.ECOA,
    ),
    errors.NO_ANSWER: Words(
        _("eCOA did not answer, so we do not know yet whether the participant arrived."),
        _("The study team sends it again; first we look whether the participant is there."),
        Acts.STUDY_TEAM,
    ),
    errors.NOT_REACHED: Words(
        _("eCOA could not be reached. Nothing was sent."),
        _("The study team sends it again later. If it lasts, they check the connection."),
        Acts.STUDY_TEAM,
    ),
    errors.ADDRESS_REFUSED: Words(
        _("The address of eCOA is not one this system may call. Nothing was sent."),
        _("An administrator checks the connection's URL."),
        Acts.STUDY_TEAM,
    ),
    errors.UNREADABLE: Words(
        _("Something other than eCOA answered, so we do not know whether the participant arrived."),
        _("The study team sends it again; first we look whether the participant is there."),
        Acts.STUDY_TEAM,
    ),
    errors.SERVICE_FAULT: Words(
        _("eCOA had a fault, so we do not know yet whether the participant arrived."),
        _("The study team sends it again; first we look whether the participant is there."),
        Acts.STUDY_TEAM,
    ),
    errors.BUSY: Words(
        _("eCOA is busy and asked us to come back later."),
        _("The study team sends it again in a while."),
        Acts.STUDY_TEAM,
    ),
    errors.SIGN_IN: Words(
        _("eCOA did not accept our sign-in. Nothing was sent."),
        _("An administrator checks the system ID, secret and tenant, and that eCOA allows our address."),
        Acts.STUDY_TEAM,
    ),
    errors.REGION: Words(
        _("eCOA named a region we do not trust. Nothing was sent."),
        _("An administrator checks the region before anything is sent there."),
        Acts.STUDY_TEAM,
    ),
    errors.BAD_REQUEST: Words(
        _("eCOA could not understand what we sent."),
        _("The study team checks both IDs for unusual characters."),
        Acts.STUDY_TEAM,
    ),
    errors.CONFLICT: Words(
        _("eCOA holds another participant ID for this participant, one we never sent."),
        _("Compare the two IDs with the study team before anything is changed."),
        Acts.SITE,
    ),
    errors.CREDENTIALS: Words(
        _("The connection to eCOA is not usable at the moment. Nothing was sent."),
        _("An administrator checks the connection and its authorization."),
        Acts.STUDY_TEAM,
    ),
    errors.PARKED: Words(
        _("This participant was set aside after three interrupted tries."),
        _("The study team sends it again. If it stays, they ask an operator."),
        Acts.STUDY_TEAM,
    ),
    errors.GAVE_UP: Words(
        _("eCOA was silent for too long, so we stopped trying."),
        _("The study team sends it again once eCOA is back; first we look what arrived."),
        Acts.STUDY_TEAM,
    ),
}


def words_for(code: str) -> Words:
    """The words for a code; a code nobody documented has words too."""
    return TABLE.get(code, UNLISTED)
