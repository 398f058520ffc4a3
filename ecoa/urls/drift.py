"""The drift radar: what eCOA holds, where it differs from here, and what was decided."""

from django.urls import path

from ecoa.views.drift import deciding, discrepancies, radar, reconciliation

urlpatterns = [
    path("ecoa/drift/", radar.index, name="drift"),
    path("ecoa/drift/<int:mapping_id>/start/", radar.start, name="drift-start"),
    path("ecoa/drift/list/", discrepancies.index, name="discrepancies"),
    path("ecoa/drift/decide/", deciding.decide, name="decide"),
    path("ecoa/drift/decisions/<int:decision_id>/", deciding.detail, name="decision"),
    path("ecoa/conflicts/", discrepancies.conflicts, name="conflicts"),
    path("ecoa/conflicts/<int:discrepancy_id>/", discrepancies.card, name="conflict"),
    path("ecoa/reconciliation/", reconciliation.index, name="reconciliations"),
    path("ecoa/reconciliation/<int:mapping_id>/", reconciliation.detail, name="reconciliation"),
    path("ecoa/reconciliation/<int:mapping_id>/download/", reconciliation.download, name="reconciliation-download"),
]
