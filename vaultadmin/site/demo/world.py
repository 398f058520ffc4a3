"""The demo world as data."""

from __future__ import annotations

from dataclasses import dataclass

from vaultadmin import standard_profiles as profiles
from vaultadmin.models import Application
from vaultadmin.standard_profiles import StandardProfile


@dataclass(frozen=True)
class DemoVault:
    """One vault: number, name, DNS label, application."""

    id: int
    name: str
    label: str
    application: str

    @property
    def dns(self) -> str:
        """Browsers resolve `*.localhost` themselves."""
        return f"{self.label}.localhost"


@dataclass(frozen=True)
class DemoPerson:
    """One person: the same security profile in every vault."""

    email: str
    name: str
    profile: StandardProfile
    is_domain_admin: bool = False


VAULTS = (
    DemoVault(1001, "Clinical Operations", "clinical-operations", Application.CLINICAL_OPERATIONS),
    DemoVault(1002, "EDC", "edc", Application.CDMS),
    DemoVault(1003, "Safety", "safety", Application.SAFETY),
    DemoVault(1004, "Quality", "quality", Application.QUALITY),
    DemoVault(1005, "LIMS", "lims", Application.LIMS),
    DemoVault(1006, "RIM", "rim", Application.RIM),
    DemoVault(1007, "PromoMats", "promomats", Application.PROMOMATS),
    DemoVault(1008, "Medical", "medical", Application.MEDICAL),
    DemoVault(1009, "Study Training", "study-training", Application.STUDY_TRAINING),
)
ECOA_VAULT = 1001
# Standard connections that are established: key, source, target.
ESTABLISHED = (("clinops_edc", 1001, 1002), ("quality_lims", 1004, 1005), ("safety_rim", 1003, 1006))

ADMIN = DemoPerson("admin@demo.test", "Demo Admin", profiles.VAULT_OWNER, is_domain_admin=True)
APPROVER = DemoPerson("approver@demo.test", "Demo Approver", profiles.CONNECTION_APPROVER)
COORDINATOR = DemoPerson("coordinator@demo.test", "Demo Coordinator", profiles.SITE_STAFF)
SPONSOR = DemoPerson("sponsor@demo.test", "Demo Sponsor", profiles.STUDY_TEAM)
INTEGRATION = DemoPerson("integration@demo.test", "Demo Integration", profiles.INTEGRATION_USER)
PEOPLE = (
    ADMIN,
    APPROVER,
    DemoPerson("operator@demo.test", "Demo Operator", profiles.MESSAGE_OPERATOR),
    COORDINATOR,
    SPONSOR,
    DemoPerson("auditor@demo.test", "Demo Auditor", profiles.AUDITOR),
    DemoPerson("viewer@demo.test", "Demo Viewer", profiles.READ_ONLY),
    INTEGRATION,
)
# These work in every vault; site staff and study team only where the study is.
EVERYWHERE = tuple(person for person in PEOPLE if person.profile not in (profiles.SITE_STAFF, profiles.STUDY_TEAM))

STUDY_ID = "5c8684a9-f2ec-4c69-b4bc-16cd05450fc2"
SYSTEM_ID = "mv-ext-demo-RTSM"
TENANT_ID = "demo-RTSM"
SITES = {"1005": "us", "2001": "eu", "3001": "ap"}
COORDINATOR_SITE = "1005"
ECOA_URL = "https://ecoa.demo.test/myveeva/global/"
ECOA_CONNECTION = "ecoa_rtsm"
# Where External connections of the demo send messages: to an application that verifies, and to one that is not there.
RECEIVER_URL = "https://ecoa.demo.test/demo/receiver"
NOBODY_URL = "https://ecoa.demo.test/demo/nobody"
