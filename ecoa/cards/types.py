"""What a site card is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Acts(StrEnum):
    """Who has to do something next."""

    NOBODY = "nobody"
    SITE = "site"
    STUDY_TEAM = "study_team"
    ECOA = "ecoa"


ACTS_LABELS: dict[Acts, Text] = {
    Acts.NOBODY: _("Nobody"),
    Acts.SITE: _("You"),
    Acts.STUDY_TEAM: _("Study team"),
    Acts.ECOA: _("eCOA support"),
}


class Visit(StrEnum):
    """Does it affect the visit?"""

    NO = "no"
    NOT_IN_ECOA = "not_in_ecoa"
    CHECK_ID = "check_id"


VISIT_LABELS: dict[Visit, Text] = {
    Visit.NO: _("No. The visit can go on as planned."),
    Visit.NOT_IN_ECOA: _("Maybe. The person may not be able to use eCOA yet. All else can go on as planned."),
    Visit.CHECK_ID: _("Maybe. Check that the ID in eCOA is the right one before the person uses it."),
}


class By(StrEnum):
    """By when whoever acts has acted."""

    DONE = "done"
    MINUTES = "minutes"
    HOURS = "hours"
    NEXT_DAY = "next_day"
    BEFORE_VISIT = "before_visit"


BY_LABELS: dict[By, Text] = {
    By.DONE: _("Nothing is left to do."),
    By.MINUTES: _("In a few minutes."),
    By.HOURS: _("Within a few hours."),
    By.NEXT_DAY: _("By the end of the next working day."),
    By.BEFORE_VISIT: _("Before the next visit."),
}
_WITHIN = {By.MINUTES: timedelta(minutes=30), By.HOURS: timedelta(hours=6)}


@dataclass(frozen=True, slots=True)
class Card:
    """One situation, told to somebody at a site: what happened, does it matter today, who does what by when.

    `do` is what the site does (often nothing), `acting` what whoever acts does about it.
    """

    title: Text
    happened: Text
    visit: Visit
    do: Text
    acts: Acts
    acting: Text
    by: By

    @property
    def visit_label(self) -> Text:
        return VISIT_LABELS[self.visit]

    @property
    def acts_label(self) -> Text:
        return ACTS_LABELS[self.acts]

    @property
    def acts_label_to_team(self) -> Text:
        """Who acts, said to the study team."""
        return _("The site") if self.acts is Acts.SITE else self.acts_label

    def label_of_actor(self, *, to_team: bool) -> Text:
        """Who acts, said to the site or to the study team."""
        return self.acts_label_to_team if to_team else self.acts_label

    @property
    def by_label(self) -> Text:
        return BY_LABELS[self.by]

    def is_late(self, *, since: datetime, now: datetime) -> bool:
        """Did it take longer than the card says? Judged where the card names hours and not days."""
        return self.by in _WITHIN and now - since > _WITHIN[self.by]

    def sentences(self) -> str:
        """All a person reads on the card, for tests and exports."""
        parts = (self.title, self.happened, self.visit_label, self.do, self.acting, self.by_label)
        return " ".join(str(part) if str(part).endswith(".") else f"{part}." for part in parts)
