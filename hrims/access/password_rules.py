"""Which passwords are refused. Input: a password and the name of its user. Output: nothing, or InvalidInput.

The strength is counted in units: a character that cannot be foreseen is one. A common password, a word of the
user name, a series like ``abcd`` and a repeat count as few units, whatever their length.
"""

import functools
import itertools
import re
import unicodedata
from collections.abc import Iterator

from hrims.errors import InvalidInput
from hrims.installation import COMMON_PASSWORDS

MIN_LENGTH, MAX_LENGTH = 12, 256

MIN_UNITS = 9
"""The units of a password that is accepted. Three common words have 9, a common word and a year has 7."""

WORD_UNITS = 3
"""The units of a common word: there are about as many as combinations of three characters."""

PATTERN_UNITS = 2
"""The units of a series or of a repeat, which has a start and a length."""

MIN_SERIES = 3
"""Characters of the shortest series."""

MIN_WORD, MAX_WORD = 4, 24
"""Characters of the common words. A shorter word counts by its characters."""

MIN_CONTAINED = 4
"""Characters of a user name that no password may contain. A shorter name is part of many words."""

LOCAL_WORDS = frozenset(
    [
        "hrims",
        "hrimssync",
        "zanzibar",
        "tanzania",
        "unguja",
        "pemba",
        "serikali",
        "wizara",
        "karibu",
        "asante",
        "nyerere",
        "mapinduzi",
        "mtumishi",
        "utumishi",
        "mishahara",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "januari",
        "februari",
        "machi",
        "aprili",
        "juni",
        "julai",
        "agosti",
        "septemba",
        "oktoba",
        "novemba",
        "desemba",
    ]
)
"""Words that are common in passwords of this product and its country."""

SERIES = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890")
"""Characters that follow each other in the alphabet, in numbers and on a keyboard."""

FOLLOWERS = frozenset(
    pair for row in SERIES for series in (row, row[::-1]) for pair in itertools.pairwise(series)
)
"""Every pair of characters that continues a series, in both directions."""

LEET = tuple(str.maketrans("@4031!57$8", letters) for letters in ("aaoeiistsb", "aaoelistsb", "aaoeilstsb"))
"""Signs that replace letters. ``1`` and ``!`` may be an i or an l."""


def check(password: str, name: str) -> None:
    """Raise InvalidInput if the user with this name may not have this password."""
    # Folding makes up to 18 characters of one, and to judge thousands of characters takes seconds.
    plain = _fold(password[: MAX_LENGTH + 1])
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH or len(plain) > MAX_LENGTH:
        raise _refusal(f"A password has {MIN_LENGTH} to {MAX_LENGTH} characters.")
    if _contains_name(plain, _fold(name)):
        raise _refusal("A password must not contain the user name, forwards or backwards.")
    if count_units(plain, frozenset(_words_of(name))) < MIN_UNITS:
        raise _refusal(
            "This password is easy to guess: it is made of common passwords, repeats or series. "
            "Choose another, for example four words that have nothing to do with each other."
        )


def count_units(text: str, names: frozenset[str] = frozenset()) -> int:
    """Return the units of a text in lower case, split into pieces so that they are fewest."""
    fewest = [0]
    repeats = [0] * (len(text) + 1)
    for end in range(1, len(text) + 1):
        pieces = [
            (end - 1, 1),
            *_words_before(text, end, names),
            *_series_before(text, end),
            *_repeats_before(text, end, repeats),
        ]
        fewest.append(min(fewest[start] + units for start, units in pieces))
    return fewest[-1]


def _words_before(text: str, end: int, names: frozenset[str]) -> Iterator[tuple[int, int]]:
    for start in range(max(0, end - MAX_WORD), end - MIN_WORD + 1):
        word = text[start:end]
        forms = {word, *(word.translate(table) for table in LEET)}
        if not forms.isdisjoint(_common_words()) or not forms.isdisjoint(names):
            yield start, WORD_UNITS


def _series_before(text: str, end: int) -> Iterator[tuple[int, int]]:
    start = end - 1
    while start > 0 and (text[start - 1], text[start]) in FOLLOWERS:
        start -= 1
    if end - start >= MIN_SERIES:
        yield start, PATTERN_UNITS


def _repeats_before(text: str, end: int, repeats: list[int]) -> Iterator[tuple[int, int]]:
    """Return the start of the text before ``end`` that repeats what stands ``period`` characters before it.

    ``repeats`` has the length of that text for each period at the previous ``end``, and is updated.
    """
    for period in range(1, end):
        repeats[period] = repeats[period] + 1 if text[end - 1] == text[end - 1 - period] else 0
        if repeats[period] >= max(period, 2):
            yield end - repeats[period], PATTERN_UNITS


def _contains_name(plain: str, name: str) -> bool:
    if len(name) < MIN_CONTAINED:
        return plain in {name, name[::-1]}
    return name in plain or name[::-1] in plain


def _words_of(name: str) -> Iterator[str]:
    for word in re.split(r"[._@-]", _fold(name)):
        yield from (word, word[::-1])


def _fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).lower()


@functools.cache
def _common_words() -> frozenset[str]:
    lines = COMMON_PASSWORDS.read_text(encoding="utf-8").splitlines()
    return LOCAL_WORDS.union(line for line in lines if not line.startswith("# ") and line != "#")


def _refusal(message: str) -> InvalidInput:
    return InvalidInput(f"{message} Nothing was changed.", "bad_password")
