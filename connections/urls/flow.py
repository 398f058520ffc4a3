"""What queues and connections carry: the parts of pages that fetch themselves."""

from django.urls import path

from connections.urls.converters import RECORD
from connections.views import flow

urlpatterns = [
    path(f"{RECORD}flow/", flow.of_connection, name="flow-of-connection"),
    path("admin/queues/<slug:queue_name>/flow/", flow.of_queue, name="flow-of-queue"),
    path("admin/messages/flow/", flow.of_vault, name="flow-of-vault"),
]
