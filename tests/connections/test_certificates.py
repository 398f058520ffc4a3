from datetime import timedelta

import pytest
from cryptography.x509.oid import NameOID

from connections import signed_json
from connections.constants import CertificateStage
from connections.models import SigningCertificate
from connections.services.signing import certificates
from connections.services.signing.certificates import NoSigningCertificate
from tests.factories.connections import make_certificate
from vaultadmin import clock
from vaultadmin.models import Installation, Secret

pytestmark = pytest.mark.django_db


@pytest.fixture
def small_keys(settings):
    settings.SIGNING_KEY_BITS = 2048


def test_first_certificate_names_the_installation(small_keys, now):
    first = certificates.ensure_first_certificate(now=now)

    parsed = signed_json.read_certificate(first.pem)
    assert first.certificate_id == "00001"
    common_name = parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    assert common_name == Installation.current().name
    assert first.not_after - first.not_before == timedelta(days=3 * 365)


def test_set_up_twice_makes_one_certificate(small_keys, now):
    assert certificates.ensure_first_certificate(now=now) == certificates.ensure_first_certificate(now=now)
    assert SigningCertificate.objects.count() == 1


def test_key_size_never_falls_below_2048_bits(settings, now):
    settings.SIGNING_KEY_BITS = 512

    first = certificates.ensure_first_certificate(now=now)

    assert signed_json.public_key(signed_json.read_certificate(first.pem)).key_size == 2048


def test_private_key_is_sealed(certificate):
    sealed = Secret.objects.get(pk=certificate.private_key_id)

    assert "PRIVATE KEY" not in sealed.ciphertext


def test_private_key_fits_the_certificate_and_is_parsed_once(certificate, django_assert_num_queries):
    key = certificates.private_key(certificate)
    public = signed_json.public_key(signed_json.read_certificate(certificate.pem))

    assert key.public_key().public_numbers() == public.public_numbers()
    with django_assert_num_queries(0):
        assert certificates.private_key(certificate) is key


@pytest.mark.parametrize(("stage", "rules"), [("published", False), ("test", False), ("rollover", True)])
def test_new_certificate_rules_from_its_release_on(certificate, stage, rules):
    newer = make_certificate(number=2, stage=CertificateStage(stage))

    assert (certificates.current() == newer) is rules


def test_missing_certificate_is_said_plainly():
    with pytest.raises(NoSigningCertificate, match=r"manage\.py setup"):
        certificates.current()


def test_only_exact_certificates_are_ours(certificate):
    assert certificates.is_ours("00001", certificate.pem)
    assert not certificates.is_ours("00002", certificate.pem)
    assert not certificates.is_ours("00001", certificate.pem + "\n")
    assert clock.now() < certificate.not_after
