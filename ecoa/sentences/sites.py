"""What is said about sites."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ecoa.selectors.sites import COUNTED, SiteSummary


def site_sentence(summary: SiteSummary, *, to_team: bool = False) -> str:
    """The one sentence about a site: what is in eCOA, and who acts. It speaks to the site, or about it."""
    if summary.total == 0:
        return _("No participants yet.")
    parts = [_where(summary)]
    if summary.waiting:
        parts.append(
            ngettext("%(n)d is on its way", "%(n)d are on their way", summary.waiting) % {"n": summary.waiting}
        )
    if summary.troubled:
        parts += _troubles(summary.troubled, summary.needs_you, to_team)
    return "; ".join(parts) + "."


def _where(summary: SiteSummary) -> str:
    if summary.synced == summary.total:
        return ngettext("The participant is in eCOA", "All %(n)d participants are in eCOA", summary.total) % {
            "n": summary.total
        }
    if summary.total == 1:
        return _("The participant is not in eCOA yet")
    return _("%(synced)d of %(total)d participants are in eCOA") % {
        "synced": summary.synced,
        "total": summary.total,
    }


def _troubles(troubled: int, needs_you: int | None, to_team: bool) -> list[str]:
    if needs_you is None:
        return [ngettext("%(n)d needs attention", "%(n)d need attention", troubled) % {"n": troubled}]
    needs = _needs_site if to_team else _needs_you
    parts = [needs(needs_you)] if needs_you else []
    others = troubled - min(needs_you, troubled)
    if others:
        with_team = ngettext("%(n)d is with the study team", "%(n)d are with the study team", others)
        parts.append(with_team % {"n": others})
    return parts


def _needs_you(number: int) -> str:
    if number >= COUNTED:
        return _("%(n)d or more need you") % {"n": COUNTED}
    return ngettext("%(n)d needs you", "%(n)d need you", number) % {"n": number}


def _needs_site(number: int) -> str:
    if number >= COUNTED:
        return _("%(n)d or more need the site") % {"n": COUNTED}
    return ngettext("%(n)d needs the site", "%(n)d need the site", number) % {"n": number}
