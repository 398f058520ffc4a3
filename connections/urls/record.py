"""The list of connections, the wizard and everything about one record."""

from django.urls import path

from connections.forms.editing import DETAILS, REMOTE
from connections.urls.converters import RECORD
from connections.views import editing, exchange, lifecycle, listing, record, verdict, wizard

urlpatterns = [
    path("admin/connections/", listing.index, name="list"),
    # Below the reserved API Name, so that no record can ever stand in the way.
    path("admin/connections/create/", wizard.create, name="create"),
    path("admin/connections/create/from-file/", exchange.connect_from_file, name="connect-from-file"),
    path(RECORD, record.detail, name="record"),
    path(f"{RECORD}changed/", record.changed, name="changed"),
    path(f"{RECORD}edit/details/", editing.edit, {"section": DETAILS}, name="edit-details"),
    path(f"{RECORD}edit/remote/", editing.edit, {"section": REMOTE}, name="edit-remote"),
    path(f"{RECORD}download/", exchange.download, name="download"),
    path(f"{RECORD}connect-from-file/", exchange.connect_record, name="connect-record"),
    path(f"{RECORD}complete/", verdict.complete, name="complete"),
    path(f"{RECORD}withdraw/", exchange.withdraw, name="withdraw"),
    path(f"{RECORD}revoke/", exchange.revoke, name="revoke"),
    path(f"{RECORD}reset/", lifecycle.reset, name="reset"),
    path(f"{RECORD}delete/", lifecycle.delete, name="delete"),
    path(f"{RECORD}inactivate/", lifecycle.inactivate, name="inactivate"),
    path(f"{RECORD}activate/", lifecycle.activate, name="activate"),
]
