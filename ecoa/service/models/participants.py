"""The stores of the regions."""

from uuid import uuid4

from django.db import models

from ecoa.contract import IDENTIFIER_MAX
from ecoa.service.models.studies import ServiceSite, ServiceStudy

PARTICIPANT_ONCE = "ecoa_service_participant_once"


class ServiceParticipant(models.Model):
    """A participant in the store of one region, the region of its site.

    The two constraints are the promise of the service: a caller's participant exists once in a study, and so does
    a participant id, in whichever region it is. Rows are written by `ecoa.service.store` only.
    """

    study = models.ForeignKey(ServiceStudy, models.PROTECT, related_name="participants", db_index=False)
    # No index of its own: whoever asks for a site's participants names the study, too.
    site = models.ForeignKey(ServiceSite, models.PROTECT, related_name="participants", db_index=False)
    region = models.CharField(max_length=16)
    internal_id = models.CharField(max_length=IDENTIFIER_MAX)
    participant_id = models.CharField(max_length=IDENTIFIER_MAX)
    my_veeva_participant_id = models.UUIDField(unique=True, default=uuid4)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["study", "id"], name="ecoa_service_newest")]
        constraints = [
            models.UniqueConstraint(fields=["study", "internal_id"], name="ecoa_service_internal_once"),
            models.UniqueConstraint(fields=["study", "participant_id"], name=PARTICIPANT_ONCE),
        ]

    def __str__(self) -> str:
        return self.participant_id
