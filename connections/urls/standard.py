"""Standard connections."""

from django.urls import path

from connections.views import standard

urlpatterns = [
    # Below the reserved API Name, so that no record can ever stand in the way.
    path("admin/connections/create/standard/", standard.add, name="add-standard"),
]
