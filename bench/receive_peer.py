"""The WSGI application of the views beside the receiver, for the product's own web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "bench.receive_settings"

application = get_wsgi_application()
