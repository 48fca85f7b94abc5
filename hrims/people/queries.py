"""The search for people: what a user types comes in; parts of names and queries go out. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

SHORTEST_NEAR = 3
"""Letters of a part of which a near spelling is looked for."""

NEAR_WORDS = 10
"""Near spellings that are tried for a part."""

MOST_SIMILAR = 20
"""People with a similar name that a search finds."""

COMPARED = 2000
"""People whose names are compared to find the most similar ones."""


def beginning(parts: Sequence[str]) -> str:
    """Return the LIKE pattern of names that begin with these parts. Parts have letters and digits only."""
    return f"{' '.join(parts)}%"


def query(parts: Sequence[str], near: Mapping[int, Sequence[str]] | None = None) -> str:
    """Return the tsquery for names that have all parts, in any order: each from its beginning, or as one of
    the ``near`` words of its place.
    """
    near = near or {}
    return " & ".join(_any_of(part, near.get(place, ())) for place, part in enumerate(parts))


def by_place(words: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    """Return near words by the place of their part, which counts from 1 in the rows and from 0 here."""
    found = defaultdict(list)
    for place, word in words:
        found[place - 1].append(word)
    return dict(found)


def _any_of(part: str, near: Sequence[str]) -> str:
    return "(" + " | ".join([f"'{part}':*", *(f"'{word}'" for word in near)]) + ")"
