"""Words of the study team's pages, marked for translation."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ecoa.selectors.study import ATTENTION, CLOSED, SILENT, SYNCED, WAITING, Cell, Overall


def cell_words(cell: Cell) -> str:
    """What one cell of the matrix says."""
    if cell.state == SILENT:
        return _("Silent")
    if cell.state == ATTENTION:
        return ngettext("%(n)s needs attention", "%(n)s need attention", cell.attention) % {"n": f"{cell.attention:,}"}
    if cell.state == WAITING:
        return _("%(n)s waiting") % {"n": f"{cell.waiting:,}"}
    if cell.state == CLOSED:
        return _("Closed")
    if cell.state == SYNCED:
        return _("All %(n)s in eCOA") % {"n": f"{cell.total:,}"}
    return _("None yet")


def overall_sentence(overall: Overall) -> str:
    """How all sites stand, in one sentence."""
    if not overall.sites:
        return _("There is no site yet.")
    where = _("%(sites)s in %(studies)s") % {
        "sites": ngettext("%(n)d site", "%(n)d sites", overall.sites) % {"n": overall.sites},
        "studies": ngettext("%(n)d study", "%(n)d studies", overall.studies) % {"n": overall.studies},
    }
    parts = []
    if overall.silent:
        parts.append(ngettext("%(n)d is silent", "%(n)d are silent", overall.silent) % {"n": overall.silent})
    if overall.attention:
        parts.append(
            ngettext("%(n)d needs attention", "%(n)d need attention", overall.attention) % {"n": overall.attention}
        )
    if overall.waiting:
        parts.append(ngettext("%(n)d is waiting", "%(n)d are waiting", overall.waiting) % {"n": overall.waiting})
    if not parts:
        return _("%(where)s: nothing needs attention.") % {"where": where}
    return f"{where}: {', '.join(parts)}."
