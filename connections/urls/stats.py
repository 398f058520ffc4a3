"""Connection Stats."""

from django.urls import path

from connections.urls.converters import RECORD
from connections.views import stats

urlpatterns = [
    path(f"{RECORD}stats.csv", stats.download, name="stats-csv"),
]
