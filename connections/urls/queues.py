"""Queues of the vault and their connections."""

from django.urls import path

from connections.views import queue_changes, queue_links, queues

_ONE = "admin/queues/<slug:queue_name>/"
_LINK = f"{_ONE}connections/<int:link_id>/"

urlpatterns = [
    path("admin/queues/", queues.index, name="queues"),
    # No queue can have this name: those people make end in __c.
    path("admin/queues/create/", queue_changes.create, name="queue-create"),
    path(_ONE, queues.detail, name="queue"),
    path(f"{_ONE}standing/", queues.standing, name="queue-standing"),
    path(f"{_ONE}edit/", queue_changes.edit, name="queue-edit"),
    path(f"{_ONE}status/", queue_changes.status, name="queue-status"),
    path(f"{_ONE}delivery/", queue_changes.delivery, name="queue-delivery"),
    path(f"{_ONE}reset/", queue_changes.reset, name="queue-reset"),
    path(f"{_ONE}delete/", queue_changes.delete, name="queue-delete"),
    path(f"{_ONE}connections/add/", queue_links.add, name="queue-link-add"),
    path(f"{_LINK}edit/", queue_links.edit, name="queue-link-edit"),
    path(f"{_LINK}remove/", queue_links.remove, name="queue-link-remove"),
]
