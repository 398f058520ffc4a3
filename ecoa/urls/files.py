"""Participant files, and how their columns are read."""

from django.urls import path

from ecoa.views import columns, imports

urlpatterns = [
    path("ecoa/import/", imports.index, name="import"),
    path("ecoa/import/columns/", columns.index, name="columns"),
    path("ecoa/import/columns/<int:columns_id>/edit/", columns.edit, name="columns-edit"),
    path("ecoa/import/columns/<int:columns_id>/delete/", columns.delete, name="columns-delete"),
    path("ecoa/import/<int:file_id>/columns/", columns.choose, name="file-columns"),
    path("ecoa/import/<int:file_id>/problems/", imports.problems, name="file-problems"),
    path("ecoa/import/<int:file_id>/", imports.detail, name="file"),
    path("ecoa/import/<int:file_id>/confirm/", imports.confirm, name="file-confirm"),
    path("ecoa/import/<int:file_id>/discard/", imports.discard, name="file-discard"),
]
