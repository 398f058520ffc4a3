"""Pages of the ecoa app, below /v/<vault_id>/: one module per noun."""

from ecoa.urls import drift, files, mappings, participants, runs, service, sites, study

app_name = "ecoa"
urlpatterns = [
    *sites.urlpatterns,
    *participants.urlpatterns,
    *runs.urlpatterns,
    *files.urlpatterns,
    *drift.urlpatterns,
    *mappings.urlpatterns,
    *service.urlpatterns,
    *study.urlpatterns,
]
