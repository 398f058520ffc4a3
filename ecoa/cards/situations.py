"""Cards of situations that no single answer stands for: on the way, held back, and the two sides not alike."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from ecoa.cards.codes import NOTHING
from ecoa.cards.types import Acts, By, Card, Visit


class Situation(StrEnum):
    """What can be the matter with a participant or a site besides a code."""

    IN_ECOA = "in_ecoa"
    WAITING = "waiting"
    SENDING = "sending"
    PAUSED = "paused"
    HELD = "held"
    MISSING = "missing"
    ID_DIFFERS = "id_differs"
    REGION_MOVED = "region_moved"
    MAPPING_GONE = "mapping_gone"
    SITE_UNMAPPED = "site_unmapped"
    CONFLICT = "conflict"
    CORRECTION_ASKED = "correction_asked"
    CORRECTION_SIGNED = "correction_signed"
    CORRECTION_HELD = "correction_held"
    CORRECTION_NOT_ACCEPTED = "correction_not_accepted"
    CORRECTION_OVERTAKEN = "correction_overtaken"
    CORRECTION_UNDONE = "correction_undone"
    CORRECTION_REJECTED = "correction_rejected"


SITUATIONS: dict[str, Card] = {
    Situation.IN_ECOA: Card(
        _("In eCOA"),
        _("eCOA has this person under the same ID as we do."),
        Visit.NO,
        NOTHING,
        Acts.NOBODY,
        _("No one has to do anything."),
        By.DONE,
    ),
    Situation.WAITING: Card(
        _("Waiting to be sent"),
        _("The ID was added or changed here and is not in eCOA yet."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("It goes out with the next send. The study team starts one, or it starts by itself."),
        By.NEXT_DAY,
    ),
    Situation.SENDING: Card(
        _("Being sent"),
        _("The ID is on its way to eCOA right now."),
        Visit.NOT_IN_ECOA,
        _("Nothing. This page shows it as soon as it is there."),
        Acts.NOBODY,
        _("It goes on by itself."),
        By.MINUTES,
    ),
    Situation.PAUSED: Card(
        _("Sending is paused"),
        _("The study team has paused sending for this study. What is in eCOA stays there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team starts it again when they are ready."),
        By.NEXT_DAY,
    ),
    Situation.HELD: Card(
        _("Sending is switched off"),
        _("This study is switched off here, so nothing is sent. What is in eCOA stays there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team switches the study on when it is time."),
        By.NEXT_DAY,
    ),
    Situation.MISSING: Card(
        _("Gone from eCOA"),
        _("This person was in eCOA, but eCOA does not show them any more."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team finds out why and sends the ID again."),
        By.NEXT_DAY,
    ),
    Situation.ID_DIFFERS: Card(
        _("The ID in eCOA is not ours"),
        _("eCOA shows another ID for this person than we do."),
        Visit.CHECK_ID,
        _("Look up in your own notes which ID is right. If ours is wrong, ask for a correction."),
        Acts.STUDY_TEAM,
        _("The study team puts the right ID on both sides and signs for it."),
        By.NEXT_DAY,
    ),
    Situation.REGION_MOVED: Card(
        _("Your site was moved in eCOA"),
        _("eCOA now keeps your site in another part of the world than before."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team checks the move and signs that it is right."),
        By.NEXT_DAY,
    ),
    Situation.MAPPING_GONE: Card(
        _("eCOA lost the link to the study"),
        _("eCOA no longer knows this study. What was sent before is still there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.ECOA,
        _("The study team asks eCOA support to bring the link back."),
        By.NEXT_DAY,
    ),
    Situation.SITE_UNMAPPED: Card(
        _("eCOA lost the link to your site"),
        _("eCOA no longer knows your site in this study. What was sent before is still there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.ECOA,
        _("The study team asks eCOA support to bring the link back."),
        By.NEXT_DAY,
    ),
    Situation.CONFLICT: Card(
        _("Two IDs for one person"),
        _("We and eCOA both changed the ID of this person. We changed nothing in eCOA."),
        Visit.CHECK_ID,
        _("Look up in your own notes which ID is right, and tell the study team."),
        Acts.STUDY_TEAM,
        _("The study team picks the right ID and signs for it."),
        By.NEXT_DAY,
    ),
    Situation.CORRECTION_ASKED: Card(
        _("A correction waits for the study team"),
        _("Someone at your site asked for a new ID. Nothing has changed yet."),
        Visit.CHECK_ID,
        _("Nothing. Use the old ID until this page says that the new one is in eCOA."),
        Acts.STUDY_TEAM,
        _("The study team looks at it and signs or rejects it."),
        By.NEXT_DAY,
    ),
    Situation.CORRECTION_SIGNED: Card(
        _("A correction is on its way"),
        _("The study team signed the new ID. We send it to eCOA and then look if it is there."),
        Visit.CHECK_ID,
        _("Nothing. This page shows it as soon as the new ID is in eCOA."),
        Acts.NOBODY,
        _("It goes on by itself."),
        By.MINUTES,
    ),
    Situation.CORRECTION_HELD: Card(
        _("A signed correction waits"),
        _("The study team signed the new ID. But eCOA and we hold two IDs for this person, so nothing is sent yet."),
        Visit.CHECK_ID,
        _("Nothing. This page shows it as soon as the new ID is in eCOA."),
        Acts.STUDY_TEAM,
        _("The study team decides which ID counts. Then it goes on by itself."),
        By.NEXT_DAY,
    ),
    Situation.CORRECTION_NOT_ACCEPTED: Card(
        _("eCOA did not accept the correction"),
        _("The new ID was signed and sent, but eCOA said no. eCOA still has the old ID."),
        Visit.CHECK_ID,
        _("Use the old ID for now. Ask for another correction if the new ID was wrong."),
        Acts.STUDY_TEAM,
        _("The study team finds out why eCOA said no."),
        By.NEXT_DAY,
    ),
    Situation.CORRECTION_OVERTAKEN: Card(
        _("Another ID was set"),
        _("The new ID was signed. But then its source or the study team put another one in its place."),
        Visit.CHECK_ID,
        _("Look up in your own notes which ID is right. If this one is wrong, ask once more."),
        Acts.SITE,
        _("You check the ID. The study team must mend the ID at its source too."),
        By.BEFORE_VISIT,
    ),
    Situation.CORRECTION_UNDONE: Card(
        _("A correction was undone"),
        _("The new ID was signed. But the system the ID comes from has put another one in its place since."),
        Visit.CHECK_ID,
        _("Look up in your own notes which ID is right. If this one is wrong, ask once more."),
        Acts.STUDY_TEAM,
        _("The study team has the ID put right in the system it comes from."),
        By.NEXT_DAY,
    ),
    Situation.CORRECTION_REJECTED: Card(
        _("The correction was rejected"),
        _("The study team rejected the new ID. The reason is on the page of the person."),
        Visit.NO,
        _("Read the reason. If you do not agree, call the study team or ask once more."),
        Acts.SITE,
        _("You read the reason."),
        By.BEFORE_VISIT,
    ),
}
