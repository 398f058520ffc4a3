"""The study team's pages: health, silence, digest, reports and the set-up wizard."""

from django.urls import path

from ecoa.views import set_up
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
    path("ecoa/setup/", set_up.index, name="set-ups"),
    path("ecoa/setup/start/", set_up.start, name="set-up-start"),
    path("ecoa/setup/<int:set_up_id>/study/", set_up.study, name="set-up-study"),
    path("ecoa/setup/<int:set_up_id>/sheet/", set_up.sheet, name="set-up-sheet"),
    path("ecoa/setup/<int:set_up_id>/credentials/", set_up.credentials, name="set-up-credentials"),
    path("ecoa/setup/<int:set_up_id>/test/", set_up.test, name="set-up-test"),
    path("ecoa/setup/<int:set_up_id>/finish/", set_up.finish, name="set-up-finish"),
    path("ecoa/setup/<int:set_up_id>/discard/", set_up.discard, name="set-up-discard"),
]
