from __future__ import annotations

import threading

import pytest
from django.core.management import call_command
from django.db import connection

from vaultadmin import audit, crypto, secrets
from vaultadmin.models import Secret

BY = audit.System("Test")


@pytest.fixture
def keyring_file(settings, tmp_path):
    settings.KEYRING_FILE, settings.ENCRYPTION_KEYS = tmp_path / "keyring", ""
    secrets.keyring.cache_clear()
    yield settings.KEYRING_FILE
    secrets.keyring.cache_clear()


@pytest.mark.django_db(transaction=True)
def test_rotation_while_others_read_fails_nobody(keyring_file, goal):
    k3 = goal("K3")
    amount = k3.count(small=120, full=5_000)
    stored = {
        secrets.store(vault=None, purpose="test", value=f"value {n}", by=BY).pk: f"value {n}" for n in range(amount)
    }
    reads, failures, over = [0], [], threading.Event()

    def read():
        try:
            while not over.is_set():
                for secret in Secret.objects.all()[:40]:
                    if secrets.reveal(secret) != stored[secret.pk]:
                        failures.append(secret.pk)
                    reads[0] += 1
        except Exception as error:
            failures.append(repr(error))
        finally:
            connection.close()

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(k3.count(small=2, full=5)):
        call_command("rotate_encryption", new_key=True, verbosity=0)
    over.set()
    for reader in readers:
        reader.join(30)

    both = crypto.Keyring.from_env_or_file(keyring_file, "")
    newest = crypto.Keyring(keys=both.keys[:1])
    newest.save(keyring_file)
    secrets.keyring.cache_clear()
    opened = sum(secrets.reveal(secret) == stored[secret.pk] for secret in Secret.objects.all())
    figure = {"reads": reads[0], "failed": failures[:5], "opened with the newest key alone": opened}
    ok = not failures and opened == amount and reads[0] > 0 and not secrets.sealed().exists()
    k3.reached(figure=figure, target={"failed": [], "opened with the newest key alone": amount}, ok=ok)
