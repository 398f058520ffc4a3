"""Django's admin over the participants, tuned: no count of everything, the columns of our list, the same indexes.

Its page shows a table of five columns, a filter by state, a search box and numbered pages. Ours shows the same rows
with the state in words, what to do about it, a progress track, actions and the site's one sentence.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.http import HttpRequest
from django.test import Client
from django.urls import path

from bench import fresh, pages
from bench.pages import Page, Timing
from ecoa.models import Participant


class _OpenSite(admin.AdminSite):
    """No sign-in: the peer is not charged for it."""

    def has_permission(self, request: HttpRequest) -> bool:
        return True


class _Participants(admin.ModelAdmin):  # type: ignore[type-arg]  # not subscriptable at run time
    list_display = ("participant_id", "status", "stage", "changed_at", "code")
    list_filter = ("status",)
    search_fields = ("participant_id",)
    ordering = ("participant_id",)
    list_per_page = 50
    show_full_result_count = False
    actions = None

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return True

    def lookup_allowed(self, lookup: str, value: object, request: HttpRequest) -> bool:
        return True


site = _OpenSite(name="admin")
site.register(Participant, _Participants)
urlpatterns = [path("admin/", site.urls)]


def timings(ready: fresh.Ready, wanted: Sequence[Page], requests: int) -> dict[str, Timing]:
    """Runs in a process of its own, with `bench.admin_settings`."""
    client = Client(SERVER_NAME="localhost")
    ready()
    return {page.name: pages.timing(client, page, requests=requests) for page in wanted}
