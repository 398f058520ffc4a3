"""Vault tokens."""

from django.urls import path

from connections.views import tokens

urlpatterns = [
    path("admin/tokens/", tokens.index, name="tokens"),
    path("admin/tokens/create/", tokens.create, name="token-create"),
    path("admin/tokens/<int:vault_token_id>/", tokens.detail, name="token"),
    path("admin/tokens/<int:vault_token_id>/edit/", tokens.edit, name="token-edit"),
    path("admin/tokens/<int:vault_token_id>/delete/", tokens.delete, name="token-delete"),
]
