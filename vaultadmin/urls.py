"""Every address of the product: people's pages under /v/<vault>/, machines' interfaces where their contracts say."""

from django.urls import include, path

from vaultadmin.people_urls import root_urlpatterns
from vaultadmin.rest.urls import rest_of_it

urlpatterns = [
    path("accounts/", include("vaultadmin.accounts.urls")),
    path("", include("vaultadmin.site.urls")),
    path("", include(root_urlpatterns)),
    path("", include("connections.urls.machine")),
    path("", include("ecoa.urls.machine")),
    path("", include("vaultadmin.rest.urls")),
    path("v/<int:vault_id>/", include("vaultadmin.site.vault_urls")),
    path("v/<int:vault_id>/", include("connections.urls")),
    path("v/<int:vault_id>/", include("ecoa.urls")),
    *rest_of_it,
]

handler400 = "vaultadmin.site.errors.bad_request"
handler403 = "vaultadmin.site.errors.forbidden"
handler404 = "vaultadmin.site.errors.not_found"
handler500 = "vaultadmin.site.errors.server_error"
