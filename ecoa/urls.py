"""Pages of the ecoa app, below /v/<vault_id>/."""

from django.urls import path

from ecoa import service_urls, urls_study
from ecoa.views import corrections, home, imports, mappings, participants, run_page, runs, sites, staff

app_name = "ecoa"
urlpatterns = [
    path("ecoa/", home.index, name="home"),
    path("ecoa/studies/<str:study>/sites/<str:site>/", sites.detail, name="site"),
    path("ecoa/studies/<str:study>/sites/<str:site>/print/", sites.paper, name="site-print"),
    path("ecoa/studies/<str:study>/sites/<str:site>/export/", sites.export, name="site-export"),
    path("ecoa/cards/", home.cards, name="cards"),
    path("ecoa/participants/<int:participant_id>/", participants.detail, name="participant"),
    path("ecoa/participants/<int:participant_id>/retry/", participants.retry, name="participant-retry"),
    path("ecoa/participants/<int:participant_id>/correct/", corrections.ask, name="participant-correct"),
    path("ecoa/corrections/<int:correction_id>/withdraw/", corrections.withdraw, name="correction-withdraw"),
    path("ecoa/corrections/<int:correction_id>/complete/", corrections.complete, name="correction-complete"),
    path("ecoa/runs/", runs.index, name="runs"),
    path("ecoa/runs/start/", runs.start, name="run-start"),
    path("ecoa/runs/<int:run_id>/", run_page.detail, name="run"),
    path("ecoa/runs/<int:run_id>/errors.csv", run_page.errors, name="run-errors"),
    path("ecoa/runs/<int:run_id>/pause/", runs.pause, name="run-pause"),
    path("ecoa/runs/<int:run_id>/resume/", runs.resume, name="run-resume"),
    path("ecoa/runs/<int:run_id>/cancel/", runs.cancel, name="run-cancel"),
    path("ecoa/runs/<int:run_id>/retry/", runs.retry, name="run-retry"),
    path("ecoa/import/", imports.index, name="import"),
    path("ecoa/import/<int:file_id>/", imports.detail, name="file"),
    path("ecoa/import/<int:file_id>/confirm/", imports.confirm, name="file-confirm"),
    path("ecoa/import/<int:file_id>/discard/", imports.discard, name="file-discard"),
    path("ecoa/mappings/", mappings.index, name="mappings"),
    path("ecoa/mappings/create/", mappings.create, name="mapping-create"),
    path("ecoa/mappings/<int:mapping_id>/", mappings.detail, name="mapping"),
    path("ecoa/mappings/<int:mapping_id>/edit/", mappings.edit, name="mapping-edit"),
    path("ecoa/mappings/<int:mapping_id>/schedule/", mappings.schedule, name="mapping-schedule"),
    path("ecoa/mappings/<int:mapping_id>/sites/add/", staff.add_site, name="site-add"),
    path("ecoa/sites/<int:site_id>/assign/", staff.assign, name="site-assign"),
    path("ecoa/sites/<int:site_id>/unassign/<int:member_id>/", staff.unassign, name="site-unassign"),
    *service_urls.urlpatterns,
    *urls_study.urlpatterns,
]
