"""Addresses of the study team's pages, below /v/<vault_id>/; part of `ecoa.urls`."""

from django.urls import path

from ecoa.views.study import alarms, digest, health, reports, rhythm

urlpatterns = [
    path("ecoa/health/", health.index, name="health"),
    path("ecoa/health/days.csv", health.download, name="health-csv"),
    path("ecoa/alarms/", alarms.index, name="alarms"),
    path("ecoa/alarms/<int:alarm_id>/snooze/", alarms.snooze, name="alarm-snooze"),
    path("ecoa/digest/", digest.settings, name="digest"),
    path("ecoa/sites/<int:site_id>/rhythm/", rhythm.detail, name="rhythm"),
    path("ecoa/sites/<int:site_id>/rhythm/withdraw/", rhythm.withdraw, name="rhythm-withdraw"),
    path("ecoa/sites/<int:site_id>/close/", rhythm.close, name="site-close"),
    path("ecoa/sites/<int:site_id>/reopen/", rhythm.reopen, name="site-reopen"),
    path("ecoa/sites/<int:site_id>/pauses/add/", rhythm.pause, name="pause-add"),
    path("ecoa/sites/<int:site_id>/pauses/<int:pause_id>/end/", rhythm.end_pause, name="pause-end"),
    path("ecoa/reports/", reports.index, name="reports"),
    path("ecoa/reports/<int:report_id>/", reports.detail, name="report"),
    path("ecoa/reports/<int:report_id>/cancel/", reports.cancel, name="report-cancel"),
    path("ecoa/reports/<int:report_id>/<slug:format>/", reports.download, name="report-download"),
    path("ecoa/sites/<int:site_id>/report/", reports.ask, name="report-ask"),
]
