"""Cards of our own codes: what the other side did not say, or not in a way we could read."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ecoa.cards.codes import NOTHING
from ecoa.cards.types import Acts, By, Card, Visit
from ecoa.client import errors

_ASK_FIRST = _("The study team sends it again. We look first if it got there, so no one is added twice.")

UNLISTED = Card(
    _("eCOA said no"),
    _("eCOA did not take this ID, and gave a reason we do not know."),
    Visit.NOT_IN_ECOA,
    _("Nothing. The study team finds the reason under Details for support."),
    Acts.STUDY_TEAM,
    _("The study team finds out why and sends it again."),
    By.NEXT_DAY,
)

OURS: dict[str, Card] = {
    errors.NO_ANSWER: Card(
        _("eCOA did not answer"),
        _("We sent the ID, but eCOA did not answer. We do not know yet if it got there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _ASK_FIRST,
        By.HOURS,
    ),
    errors.NOT_REACHED: Card(
        _("eCOA could not be reached"),
        _("We could not reach eCOA. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team sends it again as soon as eCOA is back."),
        By.HOURS,
    ),
    errors.ADDRESS_REFUSED: Card(
        _("We may not call this eCOA"),
        _("The address set up for eCOA is not one we may call. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team has the address set right and sends it again."),
        By.NEXT_DAY,
    ),
    errors.UNREADABLE: Card(
        _("The answer made no sense"),
        _("The answer we got did not look like eCOA. We do not know yet if the ID got there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _ASK_FIRST,
        By.HOURS,
    ),
    errors.SERVICE_FAULT: Card(
        _("eCOA broke down for a moment"),
        _("eCOA broke down while it took in the ID. We do not know yet if it got there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _ASK_FIRST,
        By.HOURS,
    ),
    errors.BUSY: Card(
        _("eCOA is busy"),
        _("eCOA has too much to do and asked us to come back later."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team sends it again in a while."),
        By.HOURS,
    ),
    errors.SIGN_IN: Card(
        _("eCOA did not let us in"),
        _("eCOA did not accept our sign-in. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team has the sign-in set right and sends it again."),
        By.NEXT_DAY,
    ),
    errors.REGION: Card(
        _("eCOA named a strange place"),
        _("eCOA told us to send the ID to a place we do not trust. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team checks the place before we send anything there."),
        By.NEXT_DAY,
    ),
    errors.BAD_REQUEST: Card(
        _("eCOA could not read what we sent"),
        _("eCOA could not read what we sent. Most often a sign in the ID is to blame."),
        Visit.NOT_IN_ECOA,
        _("If you see an odd sign in the ID, ask for a correction. If not, do nothing."),
        Acts.STUDY_TEAM,
        _("The study team checks the ID for odd signs and sends it again."),
        By.NEXT_DAY,
    ),
    errors.CONFLICT: Card(
        _("eCOA has another ID for this person"),
        _("eCOA has an ID for this person that we never sent. We changed nothing."),
        Visit.CHECK_ID,
        _("Look up in your own notes which ID is right, and tell the study team."),
        Acts.SITE,
        _("You check the ID. Then the study team puts it right on both sides."),
        By.BEFORE_VISIT,
    ),
    errors.CREDENTIALS: Card(
        _("The link to eCOA does not work"),
        _("The link to eCOA cannot be used right now. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team has the link set right and sends it again."),
        By.NEXT_DAY,
    ),
    errors.PARKED: Card(
        _("Set aside after three tries"),
        _("We tried three times and were cut off each time. We set this ID aside."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team sends it again. If that does not help, they ask for support."),
        By.NEXT_DAY,
    ),
    errors.GAVE_UP: Card(
        _("eCOA was silent too long"),
        _("eCOA did not answer for a long time, so we stopped."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team sends it again once eCOA is back. We look first what got there."),
        By.NEXT_DAY,
    ),
}
