"""Alerts about queues and connections, and their rules."""

from django.urls import path

from connections.urls.converters import RECORD
from connections.views import alerts

_RULE = "admin/alerts/rules/<int:alert_rule_id>/"

urlpatterns = [
    path("admin/alerts/", alerts.index, name="alerts"),
    path("admin/alerts/<int:alert_id>/snooze/", alerts.snooze, name="alert-snooze"),
    path(_RULE, alerts.detail, name="alert-rule"),
    path(f"{_RULE}edit/", alerts.edit, name="alert-rule-edit"),
    path(f"{_RULE}delete/", alerts.delete, name="alert-rule-delete"),
    path(f"{RECORD}alerts/add/", alerts.add_to_connection, name="alert-add"),
    path("admin/queues/<slug:queue_name>/alerts/add/", alerts.add_to_queue, name="alert-add-queue"),
]
