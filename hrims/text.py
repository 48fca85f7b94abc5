"""Text as it is kept and compared: what was written comes in, its clean form goes out. Pure."""

import unicodedata
from typing import Final

INVISIBLE: Final = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
"""Characters that show nothing: soft hyphen, zero-width space, word joiner, byte order mark."""


def clean(text: str) -> str:
    """Return ``text`` in Unicode's form C, without invisible characters, with one space for each run of white
    space. The database's ``clean_text`` (migration 0028) is the same; a property test compares the two.
    """
    return " ".join(unicodedata.normalize("NFC", text.translate(INVISIBLE)).split())


def compact(text: str) -> str:
    """Return ``text`` without any white space, as numbers are compared: people type them in groups."""
    return "".join(clean(text).split())


def is_clean(text: str) -> bool:
    """Return whether stripped ASCII text is surely its own clean form; False says: call ``clean``."""
    return text.isascii() and text.isprintable() and "  " not in text
