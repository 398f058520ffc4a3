"""The dialogs that try something out: *Test* of a connection or an authorization, *Send signed test message*."""

from django.urls import path

from connections.urls.converters import RECORD
from connections.views import probing, trial_message

urlpatterns = [
    path(f"{RECORD}test/", probing.connection, name="test"),
    path(f"{RECORD}test-message/", trial_message.send, name="test-message"),
    path("admin/queues/<slug:queue_name>/test-message/", trial_message.send_by_queue, name="queue-test-message"),
    path("admin/authorizations/<int:authorization_id>/test/", probing.authorization, name="authorization-test"),
]
