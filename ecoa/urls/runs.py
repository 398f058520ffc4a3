"""Runs: starting one, watching it, and what did not arrive."""

from django.urls import path

from ecoa.views import run_page, runs

urlpatterns = [
    path("ecoa/runs/", runs.index, name="runs"),
    path("ecoa/runs/start/", runs.start, name="run-start"),
    path("ecoa/runs/<int:run_id>/", run_page.detail, name="run"),
    path("ecoa/runs/<int:run_id>/errors.csv", run_page.errors, name="run-errors"),
    path("ecoa/runs/<int:run_id>/pause/", runs.pause, name="run-pause"),
    path("ecoa/runs/<int:run_id>/resume/", runs.resume, name="run-resume"),
    path("ecoa/runs/<int:run_id>/cancel/", runs.cancel, name="run-cancel"),
    path("ecoa/runs/<int:run_id>/retry/", runs.retry, name="run-retry"),
]
