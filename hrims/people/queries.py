"""Queries to search for employees. Input: a search text. Output: parts of names, and tsqueries. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

MIN_PREFIX_LENGTH = 3
"""Minimum letters of a part that the index looks up as the beginning of a word. With fewer letters, most
employees match.
"""

MIN_NEAR_LENGTH = 3
"""Minimum letters of a part for which similar spellings are searched."""

MAX_NEAR_WORDS = 10
"""Maximum number of similar spellings that are tried for a part."""

MAX_SIMILAR = 20
"""Maximum number of employees with a similar name that a search returns."""

COMPARED = 2000
"""Maximum number of employees whose names are compared to find the most similar ones."""


def beginning(parts: Sequence[str]) -> str:
    """Return the LIKE pattern of names that begin with these parts. Parts have only letters and digits."""
    return f"{' '.join(parts)}%"


def query(parts: Sequence[str], near: Mapping[int, Sequence[str]] | None = None) -> str:
    """Return the tsquery that the index answers, for any order of the parts.

    Each long part matches the beginning of a word, or one of the ``near`` words of its position. If all parts
    are short, each matches a whole word.
    """
    near = near or {}
    long = [_any_of(part, near.get(place, ())) for place, part in enumerate(parts) if not _is_short(part)]
    return " & ".join(long) or whole(parts)


def whole(parts: Sequence[str]) -> str:
    """Return the tsquery of names that have each part as a whole word."""
    return " & ".join(f"'{part}'" for part in parts)


def rest(parts: Sequence[str]) -> str | None:
    """Return the tsquery for the beginnings that ``query`` omits: short parts next to long ones, or None."""
    short = [part for part in parts if _is_short(part)]
    return " & ".join(_any_of(part, ()) for part in short) if 0 < len(short) < len(parts) else None


def by_place(words: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    """Return the similar words by the position of their part: from 1 in the rows, from 0 here."""
    found = defaultdict(list)
    for place, word in words:
        found[place - 1].append(word)
    return dict(found)


def _is_short(part: str) -> bool:
    return len(part) < MIN_PREFIX_LENGTH


def _any_of(part: str, near: Sequence[str]) -> str:
    return "(" + " | ".join([f"'{part}':*", *(f"'{word}'" for word in near)]) + ")"
