"""Signing certificates, and which one a connection signs with."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from connections.urls.converters import RECORD
from connections.views import certificates


class CertificateIdConverter(StringConverter):
    """The five digits of a certificate."""

    regex = "[0-9]{5}"


register_converter(CertificateIdConverter, "certificate")

_ONE = "admin/certificates/<certificate:certificate_id>/"

urlpatterns = [
    path("admin/certificates/", certificates.index, name="certificates"),
    path(_ONE, certificates.detail, name="certificate"),
    path(f"{_ONE}download/", certificates.download, name="certificate-download"),
    path(f"{RECORD}signing-certificate/", certificates.manage, name="signing-certificate"),
]
