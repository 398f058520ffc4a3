"""Cards of the codes eCOA documents."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from ecoa.cards.types import Acts, By, Card, Visit

NOTHING = _("Nothing. You need not call anyone.")

DOCUMENTED: dict[str, Card] = {
    "UE-0001": Card(
        _("eCOA had a problem"),
        _("eCOA had a problem of its own when we sent this ID. We are finding out whether it got there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team sends it again. If that does not help, they ask eCOA support."),
        By.NEXT_DAY,
    ),
    "ID-0001": Card(
        _("The ID was not accepted"),
        _("eCOA did not accept the way this ID is written."),
        Visit.NOT_IN_ECOA,
        _("If you see a typing mistake in the ID, ask for a correction. If not, do nothing."),
        Acts.STUDY_TEAM,
        _("The study team checks the ID at its source, mends it and sends it again."),
        By.NEXT_DAY,
    ),
    "ID-0002": Card(
        _("eCOA does not know the site in this study"),
        _("eCOA does not know that your site is part of this study."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team checks the number of your site and sends it again."),
        By.NEXT_DAY,
    ),
    "ID-0003": Card(
        _("The ID is taken"),
        _("Someone else in eCOA has this ID."),
        Visit.CHECK_ID,
        _("Check both people in your own notes. If this ID is wrong, ask for a correction."),
        Acts.SITE,
        _("You check the ID. The study team helps if both look right."),
        By.BEFORE_VISIT,
    ),
    "NF-0001": Card(
        _("eCOA did not know what we asked"),
        _("We called eCOA in a way it does not know. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team checks how the study is set up and sends it again."),
        By.NEXT_DAY,
    ),
    "NF-0002": Card(
        _("eCOA does not know the study"),
        _("eCOA does not know this study under the name we use. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team checks how the study is set up and sends it again."),
        By.NEXT_DAY,
    ),
    "NF-0003": Card(
        _("eCOA does not know the site"),
        _("Your site is not set up in eCOA yet, or it has another number there."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team has your site set up in eCOA and sends it again."),
        By.NEXT_DAY,
    ),
    "NF-0004": Card(
        _("eCOA does not have this person"),
        _("eCOA says that it has no one with this ID at your site."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.STUDY_TEAM,
        _("The study team sends it again."),
        By.NEXT_DAY,
    ),
    "IC-0001": Card(
        _("The study is not fully set up in eCOA"),
        _("Part of the set-up of this study is missing in eCOA. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.ECOA,
        _("The study team asks eCOA support to finish the set-up."),
        By.NEXT_DAY,
    ),
    "IC-0002": Card(
        _("Sending is switched off in eCOA"),
        _("eCOA does not take IDs from us at the moment. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.ECOA,
        _("The study team asks eCOA support to switch it on."),
        By.NEXT_DAY,
    ),
    "IC-0003": Card(
        _("The link to eCOA was taken away"),
        _("The link from our study to eCOA is gone. Nothing was sent."),
        Visit.NOT_IN_ECOA,
        NOTHING,
        Acts.ECOA,
        _("The study team asks eCOA support to bring it back."),
        By.NEXT_DAY,
    ),
}
