from __future__ import annotations

import re

_VOWELS = re.compile(r"[aeiouy]+")


def syllables(word: str) -> int:
    """Vowel groups, less a silent e at the end; an abbreviation in capitals is spelled."""
    letters = re.sub(r"[^A-Za-z]", "", word)
    if letters.isupper() and len(letters) > 1:
        return len(letters)
    plain = letters.lower()
    found = len(_VOWELS.findall(plain))
    if plain.endswith("e") and not plain.endswith(("le", "ee", "oe")) and found > 1:
        found -= 1
    if plain.endswith("ed") and not plain.endswith(("ted", "ded")) and found > 1:
        found -= 1
    return max(found, 1)


def grade(text: str) -> float:
    """The school grade after Flesch and Kincaid."""
    sentences = [part for part in re.split(r"[.!?]+", text) if part.strip()]
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", text)
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
