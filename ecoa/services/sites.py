"""Sites of a study and the site staff who see them."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from ecoa.models import Site, SiteAssignment, SiteTally, StudyMapping
from ecoa.services.actors import ensure_manager
from ecoa.services.refusals import Refused
from vaultadmin import audit
from vaultadmin.models import Membership
from vaultadmin.permissions import Permission, ensure


def add(*, mapping: StudyMapping, number: str, name: str = "", by: audit.Actor) -> Site:
    """A site under the number the study and eCOA use."""
    ensure_manager(by, mapping.vault_id)
    site = Site(vault=mapping.vault, mapping=mapping, number=number, name=name)
    try:
        with transaction.atomic():
            site.save(force_insert=True)
            SiteTally.objects.create(site=site)
            audit.record(
                vault=mapping.vault,
                by=by,
                event="site.created",
                subject=site,
                changes=audit.created(site, ["mapping", "number", "name"]),
            )
    except IntegrityError as error:
        if "site_number_once" not in str(error):
            raise
        raise Refused("The study already has a site with this number.", field="number") from error
    return site


def assign(*, site: Site, member: Membership, by: audit.Actor) -> None:
    """Let a member of the site staff see a site; assigning twice changes nothing."""
    ensure_manager(by, site.vault_id)
    if member.vault_id != site.vault_id:
        raise Refused("Choose a member of this vault.", field="member")
    with transaction.atomic():
        _row, made = SiteAssignment.objects.get_or_create(site=site, member=member, defaults={"vault": site.vault})
        if made:
            _record(site, "site.member_assigned", (None, str(member)), by)


def unassign(*, site: Site, member: Membership, by: audit.Actor) -> None:
    """Take a site away from a member."""
    ensure_manager(by, site.vault_id)
    with transaction.atomic():
        gone, _by_model = SiteAssignment.objects.filter(site=site, member=member).delete()
        if gone:
            _record(site, "site.member_removed", (str(member), None), by)


def note_export(site: Site, *, state: str, search: str, by: Membership) -> None:
    """Put down who took a site's participants away as a file, and which of them."""
    ensure(by, Permission.ECOA_VIEW_SITES)
    with transaction.atomic():
        changes: audit.Changes = {"filter": (None, state or None), "participant ID begins with": (None, search or None)}
        audit.record(vault=site.vault, by=by, event="site.exported", subject=site, changes=changes)


def _record(site: Site, event: str, change: tuple[str | None, str | None], by: audit.Actor) -> None:
    audit.record(vault=site.vault, by=by, event=event, subject=site, changes={"site staff": change})
