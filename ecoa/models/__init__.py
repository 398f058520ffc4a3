"""Tables of the ecoa app: the service's own store here, participants and their sync beside it."""

from ecoa.models.attempt import Attempt, AttemptOutcome
from ecoa.models.file_import import FileImport, FileRow, ImportState
from ecoa.models.participant import Participant, ParticipantStatus, Source
from ecoa.models.site import Site, SiteAssignment, SiteTally
from ecoa.models.study_mapping import IDENTIFIER, StudyMapping
from ecoa.models.sync import OPEN_STATES, ItemState, RunState, Scope, SyncItem, SyncRun
from ecoa.service.models import (
    MappingState,
    ServiceFault,
    ServiceParticipant,
    ServiceRevision,
    ServiceSite,
    ServiceStudy,
    ServiceStudyMapping,
    ServiceSystem,
    ServiceTenant,
)

__all__ = [
    "IDENTIFIER",
    "OPEN_STATES",
    "Attempt",
    "AttemptOutcome",
    "FileImport",
    "FileRow",
    "ImportState",
    "ItemState",
    "MappingState",
    "Participant",
    "ParticipantStatus",
    "RunState",
    "Scope",
    "ServiceFault",
    "ServiceParticipant",
    "ServiceRevision",
    "ServiceSite",
    "ServiceStudy",
    "ServiceStudyMapping",
    "ServiceSystem",
    "ServiceTenant",
    "Site",
    "SiteAssignment",
    "SiteTally",
    "Source",
    "StudyMapping",
    "SyncItem",
    "SyncRun",
]
