"""Reference lookups of the vault."""

from django.urls import path

from connections.views import lookup_changes, lookups

_ONE = "admin/reference-lookups/<int:lookup_id>/"

urlpatterns = [
    path("admin/reference-lookups/", lookups.index, name="lookups"),
    path("admin/reference-lookups/lookups.csv", lookups.download, name="lookups-csv"),
    path("admin/reference-lookups/add/", lookup_changes.add, name="lookup-add"),
    path(_ONE, lookups.detail, name="lookup"),
    path(f"{_ONE}edit/", lookup_changes.edit, name="lookup-edit"),
    path(f"{_ONE}status/", lookup_changes.status, name="lookup-status"),
    path(f"{_ONE}delete/", lookup_changes.delete, name="lookup-delete"),
]
