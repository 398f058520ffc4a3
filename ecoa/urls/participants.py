"""One participant: seeing it, changing it, correcting its ID."""

from django.urls import path

from ecoa.views import changes, corrections, participants

urlpatterns = [
    path("ecoa/studies/<str:study>/sites/<str:site>/add/", changes.enter, name="participant-add"),
    path("ecoa/participants/<int:participant_id>/change/", changes.change_id, name="participant-change"),
    path("ecoa/participants/<int:participant_id>/transfer/", changes.transfer, name="participant-transfer"),
    path("ecoa/participants/<int:participant_id>/", participants.detail, name="participant"),
    path("ecoa/participants/<int:participant_id>/retry/", participants.retry, name="participant-retry"),
    path("ecoa/participants/<int:participant_id>/correct/", corrections.ask, name="participant-correct"),
    path("ecoa/corrections/<int:correction_id>/withdraw/", corrections.withdraw, name="correction-withdraw"),
    path("ecoa/corrections/<int:correction_id>/complete/", corrections.complete, name="correction-complete"),
]
