"""Questions about what eCOA holds against what we hold. What others ask:

- `open_discrepancies(site=…)` / `open_discrepancies(mapping=…)`: how many wait for a person or a proof. One row per
  site is read, never the discrepancies themselves.
- `open_by_site(sites)`: the same for many sites at once, by site id.
- `reading_stamp(site)`: grows with every change of a site's counts; belongs in the stamp of a live page.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Sum

from ecoa.models import Site, SiteReading, StudyMapping


def open_discrepancies(*, site: Site | None = None, mapping: StudyMapping | None = None) -> int:
    """How many discrepancies of a site, or of all sites of a study, are not over."""
    rows = SiteReading.objects.filter(**({"site": site} if site is not None else {"site__mapping": mapping}))
    return int(rows.aggregate(total=Sum("open"))["total"] or 0)


def open_by_site(sites: Iterable[Site]) -> dict[int, int]:
    """How many discrepancies each of some sites has; sites without any are left out."""
    rows = SiteReading.objects.filter(site__in=[site.pk for site in sites], open__gt=0)
    return dict(rows.values_list("site_id", "open"))


def reading_stamp(site: Site) -> int:
    """Changes whenever the counts of the site do."""
    stamp: int | None = SiteReading.objects.filter(site=site).values_list("stamp", flat=True).first()
    return stamp or 0
