"""Connection Authorizations."""

from django.urls import path

from connections.views import authorizations

urlpatterns = [
    path("admin/authorizations/", authorizations.index, name="authorizations"),
    path("admin/authorizations/create/", authorizations.create, name="authorization-create"),
    path("admin/authorizations/<int:authorization_id>/", authorizations.detail, name="authorization"),
    path("admin/authorizations/<int:authorization_id>/edit/", authorizations.edit, name="authorization-edit"),
    path("admin/authorizations/<int:authorization_id>/delete/", authorizations.delete, name="authorization-delete"),
]
