"""The sections of the record page, in the order of the page (interfaces.md section 3)."""

from connections.views.sections.agreement import FILE, WORKFLOW
from connections.views.sections.alerts import ALERTS
from connections.views.sections.audit import AUDIT
from connections.views.sections.base import Section
from connections.views.sections.clients import CLIENTS
from connections.views.sections.details import DETAILS, REMOTE
from connections.views.sections.flow import FLOW
from connections.views.sections.integrations import INTEGRATIONS
from connections.views.sections.lookups import LOOKUPS
from connections.views.sections.messages import MESSAGES
from connections.views.sections.queues import QUEUES
from connections.views.sections.set_up import SET_UP
from connections.views.sections.stats import STATS

SECTIONS: tuple[Section, ...] = (
    SET_UP,
    DETAILS,
    REMOTE,
    WORKFLOW,
    FILE,
    INTEGRATIONS,
    LOOKUPS,
    CLIENTS,
    FLOW,
    STATS,
    QUEUES,
    MESSAGES,
    ALERTS,
    AUDIT,
)
