"""Pages of the connections app, below /v/<vault_id>/: one module per noun."""

from connections.urls import (
    alerts,
    authorizations,
    certificates,
    clients,
    flow,
    incoming,
    integrations,
    lookups,
    messages,
    probing,
    queues,
    record,
    standard,
    stats,
    tokens,
)

app_name = "connections"

urlpatterns = [
    *record.urlpatterns,
    *standard.urlpatterns,
    *authorizations.urlpatterns,
    *certificates.urlpatterns,
    *integrations.urlpatterns,
    *lookups.urlpatterns,
    *messages.urlpatterns,
    *stats.urlpatterns,
    *flow.urlpatterns,
    *alerts.urlpatterns,
    *clients.urlpatterns,
    *tokens.urlpatterns,
    *probing.urlpatterns,
    *incoming.urlpatterns,
    *queues.urlpatterns,
]
