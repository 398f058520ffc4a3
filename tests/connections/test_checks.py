import pytest
from django.core.exceptions import ImproperlyConfigured

from connections import checks
from vaultadmin import environment


def findings():
    return [found.msg for found in checks.signing_certificates()]


@pytest.fixture
def production(settings):
    settings.PRODUCTION = True
    return settings


def test_standard_settings_are_sound(production):
    assert findings() == []


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("SIGNING_KEY_BITS", 1024, "VAULTADMIN_CERTIFICATE_KEY_BITS must be 2048 or more."),
        ("SIGNING_CERTIFICATE_NOTICE_DAYS", 60, "more than the days of test and rollover together"),
        ("SIGNING_CERTIFICATE_DAYS", 90, "VAULTADMIN_CERTIFICATE_DAYS must be more than"),
    ],
)
def test_production_refuses_settings_that_cannot_work(production, name, value, sentence):
    setattr(production, name, value)

    assert [sentence in found for found in findings()] == [True]


def test_development_is_not_asked(settings):
    settings.SIGNING_KEY_BITS = 1024

    assert findings() == []


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5", "\u0663", "9999999"])
def test_number_that_is_none_is_refused_by_name(monkeypatch, value):
    monkeypatch.setenv("VAULTADMIN_CERTIFICATE_DAYS", value)

    with pytest.raises(ImproperlyConfigured, match="VAULTADMIN_CERTIFICATE_DAYS"):
        environment.number("VAULTADMIN_CERTIFICATE_DAYS", 1)
