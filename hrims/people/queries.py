"""The search for people: what a user types comes in; parts of names and queries go out. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

SHORTEST_BEGINNING = 3
"""Letters of a part that the index looks up as the beginning of a word. With fewer, most people have one."""

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
    """Return the tsquery that the index answers, in any order of the parts: each long part from its
    beginning, or as one of the ``near`` words of its place. If all parts are short: all as whole words.
    """
    near = near or {}
    long = [_any_of(part, near.get(place, ())) for place, part in enumerate(parts) if not _is_short(part)]
    return " & ".join(long or [f"'{part}'" for part in parts])


def rest(parts: Sequence[str]) -> str | None:
    """Return the tsquery for the beginnings that ``query`` leaves out: short parts beside long ones."""
    short = [part for part in parts if _is_short(part)]
    return " & ".join(_any_of(part, ()) for part in short) if 0 < len(short) < len(parts) else None


def by_place(words: Iterable[tuple[int, str]]) -> dict[int, list[str]]:
    """Return near words by the place of their part, which counts from 1 in the rows and from 0 here."""
    found = defaultdict(list)
    for place, word in words:
        found[place - 1].append(word)
    return dict(found)


def _is_short(part: str) -> bool:
    return len(part) < SHORTEST_BEGINNING


def _any_of(part: str, near: Sequence[str]) -> str:
    return "(" + " | ".join([f"'{part}':*", *(f"'{word}'" for word in near)]) + ")"
