"""Tables of the ecoa app: the service's own store here, participants and their sync beside it."""

from ecoa.models.attempt import Attempt, AttemptOutcome
from ecoa.models.call_share import CallShare
from ecoa.models.column_mapping import ColumnMapping
from ecoa.models.correction import OPEN_CORRECTIONS, Correction, CorrectionState
from ecoa.models.discrepancy import (
    STANDING,
    Decision,
    DecisionState,
    Discrepancy,
    DiscrepancyKind,
    DiscrepancyState,
    Finder,
    Remedy,
)
from ecoa.models.evidence import Evidence, Verdict
from ecoa.models.evidence_report import EvidenceReport, ReportFormat, ReportPart, ReportState
from ecoa.models.file_import import FileChunk, FileImport, FileRow, ImportState
from ecoa.models.health import DigestChoice, DigestFrequency, SyncDay
from ecoa.models.participant import Participant, ParticipantStatus
from ecoa.models.push_receipt import PushReceipt
from ecoa.models.read_back import CallHour, CycleState, ReadBack, ReadBackCycle, SiteReading
from ecoa.models.rhythm import AlarmEnd, SilenceAlarm, SitePause, SiteRhythm
from ecoa.models.schedule import ScheduleNote
from ecoa.models.set_up import SetUp, SetUpState, TestState
from ecoa.models.site import Site, SiteAssignment, SiteTally
from ecoa.models.site_transfer import SiteTransfer
from ecoa.models.study_mapping import IDENTIFIER, StudyMapping
from ecoa.models.sync import (
    FINISHED_WITH_FAILURES,
    OPEN_STATES,
    ItemState,
    RunReason,
    RunState,
    Scope,
    SyncItem,
    SyncRun,
)
from ecoa.service.models import (
    MappingState,
    ServiceFault,
    ServiceParticipant,
    ServiceRevision,
    ServiceSecret,
    ServiceSite,
    ServiceStudy,
    ServiceStudyMapping,
    ServiceSystem,
    ServiceTenant,
)

__all__ = [
    "FINISHED_WITH_FAILURES",
    "IDENTIFIER",
    "OPEN_CORRECTIONS",
    "OPEN_STATES",
    "STANDING",
    "AlarmEnd",
    "Attempt",
    "AttemptOutcome",
    "CallHour",
    "CallShare",
    "ColumnMapping",
    "Correction",
    "CorrectionState",
    "CycleState",
    "Decision",
    "DecisionState",
    "DigestChoice",
    "DigestFrequency",
    "Discrepancy",
    "DiscrepancyKind",
    "DiscrepancyState",
    "Evidence",
    "EvidenceReport",
    "FileChunk",
    "FileImport",
    "FileRow",
    "Finder",
    "ImportState",
    "ItemState",
    "MappingState",
    "Participant",
    "ParticipantStatus",
    "PushReceipt",
    "ReadBack",
    "ReadBackCycle",
    "Remedy",
    "ReportFormat",
    "ReportPart",
    "ReportState",
    "RunReason",
    "RunState",
    "ScheduleNote",
    "Scope",
    "ServiceFault",
    "ServiceParticipant",
    "ServiceRevision",
    "ServiceSecret",
    "ServiceSite",
    "ServiceStudy",
    "ServiceStudyMapping",
    "ServiceSystem",
    "ServiceTenant",
    "SetUp",
    "SetUpState",
    "SilenceAlarm",
    "Site",
    "SiteAssignment",
    "SitePause",
    "SiteReading",
    "SiteRhythm",
    "SiteTally",
    "SiteTransfer",
    "StudyMapping",
    "SyncDay",
    "SyncItem",
    "SyncRun",
    "TestState",
    "Verdict",
]
