from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections import six_words
from connections.peering.messages import Party
from connections.six_words import End, phrase, word_list
from tests.connections.handshake import other_side, upload

OURS = End(Party(UUID(int=1), 1001), "-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n")
THEIRS = End(Party(UUID(int=2), 1001), "-----BEGIN CERTIFICATE-----\ntheirs\n-----END CERTIFICATE-----\n")
FILE = "ab" * 32
PINNED = "plate peach cricket nacho denim puppeteer"


def test_list_holds_2048_distinct_short_plain_words():
    words = word_list()

    assert len(words) == len(set(words)) == 2048
    assert all(word.isascii() and word.isalpha() and word.islower() and 4 <= len(word) <= 9 for word in words)
    assert list(words) == sorted(words)


def test_no_two_words_are_one_letter_apart():
    words = word_list()
    changed = [f"{word[:at]}*{word[at + 1 :]}" for word in words for at in range(len(word))]
    shortened = {word[:at] + word[at + 1 :] for word in words for at in range(len(word))}

    assert len(changed) == len(set(changed))
    assert not shortened & set(words)


def test_words_that_sound_alike_are_not_both_in_the_list():
    pairs = ["flower flour", "muscle mussel", "pedal peddle", "lemon limon", "colonel kernel", "cereal serial"]

    assert not [pair for pair in pairs if set(pair.split()) <= set(word_list())]


def test_phrase_has_six_words_of_the_list():
    words = phrase(OURS, THEIRS, file_sha256=FILE).split()

    assert len(words) == six_words.COUNT
    assert set(words) <= set(word_list())


def test_phrase_is_part_of_the_protocol():
    assert phrase(OURS, THEIRS, file_sha256=FILE) == PINNED


def test_both_sides_see_the_same_words():
    assert phrase(OURS, THEIRS, file_sha256=FILE) == phrase(THEIRS, OURS, file_sha256=FILE)


@pytest.mark.parametrize(
    ("ours", "theirs", "file"),
    [
        (OURS, THEIRS, "ac" + FILE[2:]),
        (OURS, End(THEIRS.party, OURS.certificate_pem), FILE),
        (OURS, End(Party(UUID(int=3), 1001), THEIRS.certificate_pem), FILE),
        (OURS, End(Party(UUID(int=2), 1002), THEIRS.certificate_pem), FILE),
        (End(Party(UUID(int=1), 1009), OURS.certificate_pem), THEIRS, FILE),
        (End(THEIRS.party, OURS.certificate_pem), End(OURS.party, THEIRS.certificate_pem), FILE),
    ],
)
def test_any_other_fact_gives_other_words(ours, theirs, file):
    assert phrase(ours, theirs, file_sha256=file) != phrase(OURS, THEIRS, file_sha256=FILE)


@given(place=st.integers(0, 63), digit=st.sampled_from("0123456789abcdef"))
def test_any_flipped_digit_of_the_file_hash_gives_other_words(place, digit):
    flipped = FILE[:place] + digit + FILE[place + 1 :]

    assert (phrase(OURS, THEIRS, file_sha256=flipped) == phrase(OURS, THEIRS, file_sha256=FILE)) == (flipped == FILE)


@pytest.mark.django_db
def test_both_records_carry_the_same_words(pair):
    binding = upload(pair.file(), pair.target_admin)

    assert binding.six_words
    assert binding.six_words == other_side(binding).six_words


@pytest.mark.django_db
def test_another_file_of_the_same_record_gives_other_words(pair):
    first = upload(pair.file(), pair.target_admin)
    second = upload(pair.file(), pair.target_admin)

    assert first.six_words != second.six_words
