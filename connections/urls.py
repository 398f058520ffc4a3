"""Pages of the connections app, below /v/<vault_id>/."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from connections.forms.editing import DETAILS, REMOTE
from connections.views import authorizations, editing, exchange, listing, record, wizard


class ApiNameConverter(StringConverter):
    """API names of connections; standard ones may hold a hyphen."""

    regex = "[a-z0-9_-]+"


register_converter(ApiNameConverter, "connection")

app_name = "connections"
_RECORD = "admin/connections/<connection:api_name>/"

urlpatterns = [
    path("admin/connections/", listing.index, name="list"),
    # Below the reserved API Name, so that no record can ever stand in the way.
    path("admin/connections/create/", wizard.create, name="create"),
    path("admin/connections/create/from-file/", exchange.connect_from_file, name="connect-from-file"),
    path(_RECORD, record.detail, name="record"),
    path(f"{_RECORD}changed/", record.changed, name="changed"),
    path(f"{_RECORD}edit/details/", editing.edit, {"section": DETAILS}, name="edit-details"),
    path(f"{_RECORD}edit/remote/", editing.edit, {"section": REMOTE}, name="edit-remote"),
    path(f"{_RECORD}download/", exchange.download, name="download"),
    path(f"{_RECORD}connect-from-file/", exchange.connect_record, name="connect-record"),
    path(f"{_RECORD}complete/", exchange.complete, name="complete"),
    path(f"{_RECORD}withdraw/", exchange.withdraw, name="withdraw"),
    path(f"{_RECORD}revoke/", exchange.revoke, name="revoke"),
    path("admin/authorizations/", authorizations.index, name="authorizations"),
    path("admin/authorizations/create/", authorizations.create, name="authorization-create"),
    path("admin/authorizations/<int:authorization_id>/", authorizations.detail, name="authorization"),
    path("admin/authorizations/<int:authorization_id>/edit/", authorizations.edit, name="authorization-edit"),
]
