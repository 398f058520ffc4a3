"""Converters the addresses of this app share. Importing this module makes them known."""

from django.urls import register_converter
from django.urls.converters import StringConverter


class ApiNameConverter(StringConverter):
    """API names of connections; standard ones may hold a hyphen."""

    regex = "[a-z0-9_-]+"


register_converter(ApiNameConverter, "connection")

RECORD = "admin/connections/<connection:api_name>/"
