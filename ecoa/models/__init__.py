"""Tables of the ecoa app: the service's own store here, participants and their sync beside it."""

from ecoa.service.models import (
    MappingState,
    ServiceFault,
    ServiceParticipant,
    ServiceSite,
    ServiceStudy,
    ServiceStudyMapping,
    ServiceSystem,
    ServiceTenant,
)

__all__ = [
    "MappingState",
    "ServiceFault",
    "ServiceParticipant",
    "ServiceSite",
    "ServiceStudy",
    "ServiceStudyMapping",
    "ServiceSystem",
    "ServiceTenant",
]
