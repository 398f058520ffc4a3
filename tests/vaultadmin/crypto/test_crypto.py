import base64
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultadmin.crypto import KeyMissing, Keyring, KeyringError, Tampered, key_id_of

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
KEYRING = Keyring.generate()
KEY = base64.b64encode(bytes(range(32))).decode()


@given(texts, texts)
def test_sealed_value_opens_to_the_same_text_in_its_own_place(plaintext, context):
    token = KEYRING.seal(plaintext, context=context)

    assert KEYRING.open(token, context=context) == plaintext
    assert token.startswith(f"v1:{KEYRING.current_key_id}:")


@given(texts, texts, texts)
def test_sealed_value_moved_to_another_place_is_refused(plaintext, context, other):
    if context == other:
        other += "x"

    with pytest.raises(Tampered):
        KEYRING.open(KEYRING.seal(plaintext, context=context), context=other)


@pytest.mark.parametrize("moved_to", ["secret:8:eCOA", "secret:7:connection", "secret:7", "", "secret:7:eCOA "])
def test_ciphertext_swapped_between_rows_columns_and_vaults_is_refused(moved_to):
    token = KEYRING.seal("the system secret", context="secret:7:eCOA")

    with pytest.raises(Tampered):
        KEYRING.open(token, context=moved_to)


def test_swapped_ciphertexts(goal):
    places = [f"{table}.{column}:{vault}:{row}" for table in "ab" for column in "cd" for vault in "12" for row in "34"]
    sealed = {place: KEYRING.seal("the system secret", context=place) for place in places}
    swaps = [(source, target) for source in places for target in places if source != target]

    opened = 0
    for source, target in swaps:
        try:
            KEYRING.open(sealed[source], context=target)
        except Tampered:
            continue
        opened += 1

    figure = {"swaps": len(swaps), "opened": opened}
    goal("K2").reached(figure=figure, target={"opened": 0}, ok=opened == 0)


def test_every_changed_character_is_refused():
    token = KEYRING.seal("s3cret", context="c")
    alphabet = "Aa0_-:.=B"

    for position in range(len(token)):
        for replacement in alphabet:
            changed = token[:position] + replacement + token[position + 1 :]
            if changed == token:
                continue
            with pytest.raises((Tampered, KeyMissing)):
                KEYRING.open(changed, context="c")


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda raw: "v1:k:" + base64.urlsafe_b64encode(raw).decode()))
def test_text_that_was_never_sealed_is_refused(text):
    with pytest.raises((Tampered, KeyMissing)):
        KEYRING.open(text, context="c")


def test_same_text_never_looks_the_same_twice():
    assert len({KEYRING.seal("same", context="c") for _ in range(100)}) == 100


def test_rotation_keeps_old_values_readable_until_the_old_key_is_dropped():
    old = Keyring.generate()
    token = old.seal("s3cret", context="c")

    both = old.with_new_key()
    resealed = both.reseal(token, context="c")
    new = Keyring(keys=both.keys[:1])

    assert both.open(token, context="c") == "s3cret"
    assert both.needs_reseal(token)
    assert not both.needs_reseal(resealed)
    assert both.reseal(resealed, context="c") == resealed
    assert key_id_of(resealed) == both.current_key_id != old.current_key_id
    assert new.open(resealed, context="c") == "s3cret"
    with pytest.raises(KeyMissing, match=old.current_key_id):
        new.open(token, context="c")


def test_reseal_refuses_a_value_of_another_place():
    both = KEYRING.with_new_key()

    with pytest.raises(Tampered):
        both.reseal(KEYRING.seal("s3cret", context="c"), context="d")


def test_environment_keyring_wins_and_makes_no_file(tmp_path):
    keyring = Keyring.from_env_or_file(tmp_path / "keyring", f"new:{KEY}, old:{KEY}")

    assert keyring.current_key_id == "new"
    assert keyring.open(Keyring.parse(f"old:{KEY}").seal("s", context="c"), context="c") == "s"
    assert list(tmp_path.iterdir()) == []


def test_first_use_makes_a_private_file_that_is_read_again(tmp_path):
    path = tmp_path / "data" / "keyring"

    first = Keyring.from_env_or_file(path, None)
    second = Keyring.from_env_or_file(path, "")

    assert first.keys == second.keys
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["keyring"]


def test_processes_starting_at_once_agree_on_one_keyring(tmp_path):
    path = tmp_path / "keyring"

    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: Keyring.from_env_or_file(path, None), range(24)))

    assert len({ring.keys for ring in rings}) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["keyring"]


def test_saved_rotation_replaces_the_file(tmp_path):
    path = tmp_path / "keyring"
    old = Keyring.from_env_or_file(path, None)

    old.with_new_key().save(path)

    reread = Keyring.from_env_or_file(path, None, must_exist=True)
    assert reread.keys[1:] == old.keys
    assert path.stat().st_mode & 0o777 == 0o600


def test_missing_keyring_that_must_exist_is_refused(tmp_path):
    with pytest.raises(KeyringError, match=r"is missing: restore it .* before starting\.$"):
        Keyring.from_env_or_file(tmp_path / "keyring", None, must_exist=True)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o601, 0o777])
def test_keyring_open_to_others_is_refused(tmp_path, mode):
    path = tmp_path / "keyring"
    Keyring.from_env_or_file(path, None)
    path.chmod(mode)

    with pytest.raises(KeyringError, match=r"can be read by other users: run chmod 600 on it\.$"):
        Keyring.from_env_or_file(path, None)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "nocolon",
        f":{KEY}",
        f"a b:{KEY}",
        "k:",
        "k:!!!!",
        "k:c2hvcnQ=",
        f"k:{KEY},k:{KEY}",
        "k" * 33 + f":{KEY}",
    ],
)
def test_malformed_keyring_is_refused_without_repeating_keys(text):
    with pytest.raises(KeyringError) as refusal:
        Keyring.parse(text)

    assert str(refusal.value).endswith(".")
    assert KEY not in str(refusal.value)


def test_unreadable_keyring_is_refused_in_one_sentence(tmp_path):
    directory = tmp_path / "keyring"
    directory.mkdir(mode=0o700)
    binary = tmp_path / "binary"
    binary.touch(mode=0o600)
    binary.write_bytes(b"\xff\xfe")
    device = tmp_path / "device"
    device.symlink_to(os.devnull)

    for path in (directory, binary, device):
        with pytest.raises(KeyringError, match=r"\.$"):
            Keyring.from_env_or_file(path, None)


def test_keys_stay_out_of_the_representation():
    assert KEY not in repr(Keyring.parse(f"k:{KEY}"))
    assert "\\x01\\x02" not in repr(Keyring.parse(f"k:{KEY}"))
