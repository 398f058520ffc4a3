"""What of eCOA a sandbox gets: the studies, switched off. Sites, participants, runs and files stay where they are."""

from __future__ import annotations

from collections.abc import Sequence

from django.urls import reverse

from connections.models import Connection
from ecoa.models import Decision, FileImport, Participant, PushReceipt, Site, StudyMapping, SyncRun
from vaultadmin.models import SandboxLink, Vault
from vaultadmin.permissions import Permission
from vaultadmin.sandboxes.registry import Copying, LinkKind, Look, Part, copy_of

MAPPING = "study_mapping"


def copy_mappings(copying: Copying) -> int:
    """Study mappings, inactive: a sandbox sends no participant anywhere until somebody switches one on."""
    rows = StudyMapping.objects.filter(vault=copying.source).order_by("pk")
    sources = [row for row in rows if copying.id_of(Connection, row.connection_id)]
    copies = [
        copy_of(
            source,
            vault_id=copying.target.pk,
            connection_id=copying.id_of(Connection, source.connection_id),
            is_active=False,
            schedule_paused=True,
            next_run_at=None,
            schedule_note="",
            schedule_noted_at=None,
        )
        for source in sources
    ]
    for source, made in zip(sources, copying.insert(sources, copies), strict=True):
        if source.is_active:
            copying.breaks(MAPPING, made)
    copying.record(copies, "study_mapping.copied")
    return len(copies)


def clear(copying: Copying) -> None:
    """Take everything of eCOA out of the copy, what people tried out there included."""
    target = copying.target
    PushReceipt.objects.filter(vault=target).delete()
    SyncRun.objects.filter(vault=target).update(retry_of=None)
    SyncRun.objects.filter(vault=target).delete()
    FileImport.objects.filter(vault=target).delete()
    Participant.objects.filter(vault=target).delete()
    Site.objects.filter(vault=target).delete()
    StudyMapping.objects.filter(vault=target).delete()
    Decision.objects.filter(vault=target).delete()


def _look(vault: Vault, links: Sequence[SandboxLink]) -> dict[int, Look]:
    rows = StudyMapping.objects.filter(vault=vault).in_bulk([link.subject_id for link in links])
    return {
        link.pk: Look(row.is_active, reverse("ecoa:mapping-edit", args=[vault.pk, row.pk]))
        for link in links
        if (row := rows.get(link.subject_id)) is not None
    }


PARTS = (Part("Study mappings", copy_mappings, clear),)
KINDS = {
    MAPPING: LinkKind(
        "eCOA study mapping",
        "Study mappings are inactive in a sandbox, so that no test data reaches eCOA by accident.",
        "Point it to a test tenant and study, then switch it on. Sites and participants were not copied.",
        "Open mapping",
        Permission.ECOA_MANAGE,
        _look,
    )
}
