"""The WSGI application of the peer that inserts a row, for the product's own web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.insert_settings"

application = get_wsgi_application()
