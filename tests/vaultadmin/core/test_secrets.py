from __future__ import annotations

import pytest
from django.core.management import call_command

from tests.factories import make_vault
from vaultadmin import audit, crypto, secrets
from vaultadmin.models import Secret

pytestmark = pytest.mark.django_db
BY = audit.System("Test")


@pytest.fixture
def keyring_file(settings, tmp_path):
    settings.KEYRING_FILE, settings.ENCRYPTION_KEYS = tmp_path / "keyring", ""
    secrets.keyring.cache_clear()
    yield settings.KEYRING_FILE
    secrets.keyring.cache_clear()


def store(value="open sesame", vault=None, purpose="test"):
    return secrets.store(vault=vault, purpose=purpose, value=value, by=BY)


def test_stored_secret_is_revealed_and_not_readable_at_rest(keyring_file):
    secret = store()

    assert "sesame" not in Secret.objects.get(pk=secret.pk).ciphertext
    assert secrets.reveal(Secret.objects.get(pk=secret.pk)) == "open sesame"


def test_ciphertext_moved_to_another_row_does_not_open(keyring_file):
    one, other = store("one"), store("other")
    Secret.objects.filter(pk=other.pk).update(ciphertext=one.ciphertext)

    with pytest.raises(secrets.SecretUnavailable):
        secrets.reveal(Secret.objects.get(pk=other.pk))


def test_secret_moved_to_another_vault_or_purpose_does_not_open(keyring_file):
    secret, elsewhere = store(vault=make_vault()), make_vault()

    for change in ({"vault": elsewhere}, {"purpose": "another"}):
        Secret.objects.filter(pk=secret.pk).update(**change)
        with pytest.raises(secrets.SecretUnavailable):
            secrets.reveal(Secret.objects.get(pk=secret.pk))


def test_rotation_reencrypts_everything_and_the_old_key_can_go(keyring_file):
    stored = [store(f"value {number}") for number in range(450)]
    before = secrets.keyring().current_key_id

    call_command("rotate_encryption", "--new-key", verbosity=0)
    crypto.Keyring(keys=secrets.keyring().keys[:1]).save(keyring_file)
    secrets.keyring.cache_clear()

    assert secrets.keyring().current_key_id != before
    assert [secrets.reveal(Secret.objects.get(pk=secret.pk)) for secret in stored] == [
        f"value {number}" for number in range(450)
    ]


def test_process_with_the_old_keyring_reads_a_value_under_the_new_key(keyring_file):
    secret = store("before")
    old = secrets.keyring()
    old.with_new_key().save(keyring_file)
    fresh = crypto.Keyring.from_env_or_file(keyring_file, "")
    context = f"vaultadmin_secret.ciphertext:0:{secret.purpose}:{secret.pk}"
    Secret.objects.filter(pk=secret.pk).update(ciphertext=fresh.seal("after", context=context))

    assert secrets.reveal(Secret.objects.get(pk=secret.pk)) == "after"


def test_secret_under_a_missing_key_is_sealed_and_counted(keyring_file):
    secret = store()
    crypto.Keyring.generate().save(keyring_file)
    secrets.keyring.cache_clear()

    assert list(secrets.sealed()) == [secret]
    with pytest.raises(secrets.SecretUnavailable, match="sealed"):
        secrets.reveal(secret)
