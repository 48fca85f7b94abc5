"""Normalization of text for storage, comparison and display. Input: a text. Output: its clean form. Pure."""

import unicodedata
from typing import Final

INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
"""Invisible characters that are removed: soft hyphen, zero-width space, word joiner, byte order mark."""

CONTROLS: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are escaped for display, because they can end, colour or reorder a line."""


def clean(text: str) -> str:
    """Return ``text`` in Unicode's form C, without invisible characters, with single spaces as white space.

    The database function ``clean_text`` (migrations/0002_institutions.sql) does the same; a property test
    compares the two.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(INVISIBLE)).split())


def compact(text: str) -> str:
    """Return ``text`` without white space, to compare numbers: people type them in groups."""
    return "".join(clean(text).split())


def is_clean(text: str) -> bool:
    """Return True only if stripped text is its own clean form. If False, call ``clean``."""
    return text.isascii() and text.isprintable() and "  " not in text


def is_unicode(text: str) -> bool:
    """Return whether ``text`` has no lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def escaped(text: str) -> str:
    """Return a text with every control, format and surrogate character as a Python escape."""
    if text.isprintable():
        return text
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in CONTROLS
        else character
        for character in text
    )
