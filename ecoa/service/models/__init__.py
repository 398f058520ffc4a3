from ecoa.service.models.faults import ServiceFault
from ecoa.service.models.participants import ServiceParticipant
from ecoa.service.models.revision import ServiceRevision
from ecoa.service.models.studies import MappingState, ServiceSite, ServiceStudy, ServiceStudyMapping
from ecoa.service.models.systems import ServiceSecret, ServiceSystem, ServiceTenant

__all__ = [
    "MappingState",
    "ServiceFault",
    "ServiceParticipant",
    "ServiceRevision",
    "ServiceSecret",
    "ServiceSite",
    "ServiceStudy",
    "ServiceStudyMapping",
    "ServiceSystem",
    "ServiceTenant",
]
