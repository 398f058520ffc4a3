"""Pages of the platform inside a vault, below /v/<vault_id>/."""

from django.urls import include, path

from vaultadmin.site import audit_page, delegations, history, home, inbox, palette, place_page, reassigning, status

app_name = "vault"

urlpatterns = [
    path("", home.index, name="home"),
    path("tasks/", inbox.index, name="tasks"),
    path("tasks/count/", inbox.count, name="tasks-count"),
    path("tasks/<int:task_id>/reassign/", reassigning.reassign, name="task-reassign"),
    path("tasks/delegation/", delegations.index, name="delegations"),
    path("tasks/delegation/create/", delegations.create, name="delegation-create"),
    path("tasks/delegation/<int:delegation_id>/end/", delegations.end, name="delegation-end"),
    path("palette/", palette.search, name="palette"),
    path("admin/audit/", audit_page.index, name="audit"),
    path("admin/audit/download/", audit_page.download, name="audit-download"),
    path("history/<slug:kind>/<str:key>/", history.index, name="history"),
    path("history/<slug:kind>/<str:key>/download/", history.download, name="history-download"),
    path("admin/status/", status.index, name="status"),
    path("admin/status/place/", place_page.index, name="place"),
    path("", include("vaultadmin.people_urls")),
    path("", include("vaultadmin.admin_urls")),
]
