import os
import subprocess
import sys

import pytest
from django.core.checks import run_checks

from tests.embedded.probes import ROOT, pids
from vaultadmin import checks
from vaultadmin.crypto import Keyring

SOUND = {
    "PRODUCTION": True,
    "SECRET_KEY": "0123456789" * 5,
    "ENCRYPTION_KEYS": Keyring.generate().dump(),
    "ALLOWED_HOSTS": ["vaultadmin.example"],
    "PUBLIC_URL": "https://vaultadmin.example",
    "OUTBOUND_ALLOW": "10.1.0.0/16,vault.corp:8443",
    "OUTBOUND_RESOLVE": "edc.example.com:443=10.1.2.3:443",
    "OUTBOUND_CA_BUNDLE": "",
    "ECOA_REGION_SUFFIXES": ["myveeva.com"],
    "ECOA_FAULTS": False,
}
FAULTS = {
    "E001 allow": ({"OUTBOUND_ALLOW": "10.0.0.1/8"}, "VAULTADMIN_OUTBOUND_ALLOW holds '10.0.0.1/8'"),
    "E001 resolve": ({"OUTBOUND_RESOLVE": "nonsense"}, "VAULTADMIN_OUTBOUND_RESOLVE holds 'nonsense'"),
    "E001 bundle": ({"OUTBOUND_CA_BUNDLE": "/nowhere/ca.pem"}, "VAULTADMIN_CA_BUNDLE"),
    "E002 none": ({"ENCRYPTION_KEYS": ""}, "set VAULTADMIN_ENCRYPTION_KEYS"),
    "E002 unreadable": ({"ENCRYPTION_KEYS": "k1:short"}, "k1"),
    "E010": ({"ALLOWED_HOSTS": []}, "Set VAULTADMIN_ALLOWED_HOSTS"),
    "E011": ({"ALLOWED_HOSTS": ["vaultadmin.example", "*"]}, "VAULTADMIN_ALLOWED_HOSTS must name the hosts"),
    "E012": ({"PUBLIC_URL": "http://vaultadmin.example"}, "VAULTADMIN_PUBLIC_URL"),
    "E013 short": ({"SECRET_KEY": "0123456789" * 4}, "VAULTADMIN_SECRET_KEY"),
    "E013 plain": ({"SECRET_KEY": "a" * 64}, "VAULTADMIN_SECRET_KEY"),
    "E014": ({"OUTBOUND_RESOLVE": "ecoa.demo.test:443=127.0.0.1:8001"}, "VAULTADMIN_OUTBOUND_RESOLVE"),
    "E015": ({"ECOA_REGION_SUFFIXES": ["myveeva.com", ".demo.test"]}, "VAULTADMIN_ECOA_REGION_SUFFIXES"),
    "E016": ({"OUTBOUND_ALLOW": "10.1.0.0/16,::/0"}, "VAULTADMIN_OUTBOUND_ALLOW must name single networks"),
    "E017": ({"ECOA_FAULTS": True}, "VAULTADMIN_ECOA_FAULTS must not be set"),
}


@pytest.fixture
def configure(settings, tmp_path):
    def put(**values):
        for name, value in (SOUND | {"KEYRING_FILE": tmp_path / "keyring"} | values).items():
            setattr(settings, name, value)

    return put


def findings():
    return [*checks.network_door(), *checks.encryption_keys(), *checks.production()]


def test_sound_production_installation_has_no_finding(configure):
    configure()

    assert findings() == []


@pytest.mark.parametrize(("number", "fault"), FAULTS.items(), ids=FAULTS.keys())
def test_insecure_production_setting_is_told_in_one_sentence(number, fault, configure):
    values, words = fault
    configure(**values)

    [found] = findings()

    assert found.id == f"vaultadmin.{number.split()[0]}"
    assert words in found.msg
    assert found.msg.endswith(".")
    assert "\n" not in found.msg
    assert found.is_serious()


def test_keyring_file_serves_instead_of_the_variable(configure, settings):
    configure(ENCRYPTION_KEYS="")
    Keyring.from_env_or_file(settings.KEYRING_FILE, "")

    assert findings() == []


def test_checking_makes_no_keyring(configure, settings):
    configure(PRODUCTION=False, ENCRYPTION_KEYS="")

    assert findings() == []
    assert not settings.KEYRING_FILE.exists()


def test_console_mail_is_fine_in_production(configure, settings):
    configure()
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"

    assert findings() == []


@pytest.mark.parametrize("number", [number for number in FAULTS if number[:4] >= "E010"])
def test_development_installation_may_do_what_production_may_not(number, configure):
    configure(**FAULTS[number][0], PRODUCTION=False)

    assert findings() == []


@pytest.mark.parametrize("number", ["E001 allow", "E001 resolve", "E002 unreadable"])
def test_setting_nobody_can_read_is_told_in_development_too(number, configure):
    configure(**FAULTS[number][0], PRODUCTION=False)

    assert len(findings()) == 1


def test_bundle_that_holds_no_certificate_is_told(configure, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("not a certificate")
    configure(PRODUCTION=False, OUTBOUND_CA_BUNDLE=str(bundle))

    [found] = findings()

    assert "VAULTADMIN_CA_BUNDLE" in found.msg


def test_django_runs_the_checks(configure):
    configure(PUBLIC_URL="http://vaultadmin.example")

    assert "vaultadmin.E012" in {found.id for found in run_checks()}


def serve_with(folder, *options, **variables):
    environment = {key: value for key, value in os.environ.items() if not key.startswith("VAULTADMIN_")}
    environment |= {"VAULTADMIN_DATA_DIR": str(folder), "VAULTADMIN_PRODUCTION": "1"} | variables
    return subprocess.run(
        [sys.executable, "manage.py", "serve", *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_serve_refuses_insecure_settings_in_plain_sentences(tmp_path):
    ended = serve_with(tmp_path, VAULTADMIN_SECRET_KEY="short", VAULTADMIN_ALLOWED_HOSTS="*")

    assert ended.returncode == 2
    assert ended.stdout == ""
    told = ended.stderr.splitlines()
    assert len(told) == 4
    assert all(sentence.endswith(".") for sentence in told)
    assert not any(pids(tmp_path).values())


def test_serve_cannot_be_told_to_skip_the_checks(tmp_path):
    assert serve_with(tmp_path, "--skip-checks", VAULTADMIN_SECRET_KEY="short").returncode == 2


def test_serve_refuses_to_invent_a_signing_key_in_production(tmp_path):
    ended = serve_with(tmp_path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Set VAULTADMIN_SECRET_KEY")
    assert len(ended.stderr.splitlines()) == 1
