"""Messages that came in: what was filed for people, and what processing gave up."""

from django.urls import path

from connections.views import filed, set_aside

_ONE = "admin/messages/incoming/<int:incoming_id>/"

urlpatterns = [
    path("admin/filed-messages/", filed.index, name="filed-messages"),
    path("admin/filed-messages/<int:filed_id>/", filed.detail, name="filed-message"),
    path(f"{_ONE}process-again/", set_aside.process_again, name="incoming-again"),
    path(f"{_ONE}remove/", set_aside.remove, name="incoming-remove"),
]
