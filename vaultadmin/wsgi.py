"""WSGI entry point."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultadmin.settings")
_django = get_wsgi_application()

# Needs settings and apps.
from vaultadmin.straight import Straight  # noqa: E402

application = Straight(_django)

# All views, forms and models are loaded now rather than by the first request. They stay until the process ends, so no
# collection of cycles goes through them again.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
