"""The Vault applications, as every layer names them; knows no models."""

from __future__ import annotations

from django.db.models import TextChoices


class Application(TextChoices):
    """The Vault applications a tenant can run."""

    CLINICAL_OPERATIONS = "clinical_operations", "Clinical Operations"
    CDMS = "cdms", "CDMS"
    SAFETY = "safety", "Safety"
    QUALITY = "quality", "Quality"
    LIMS = "lims", "LIMS"
    RIM = "rim", "RIM"
    PROMOMATS = "promomats", "PromoMats"
    MEDICAL = "medical", "Medical"
    STUDY_TRAINING = "study_training", "Study Training"
