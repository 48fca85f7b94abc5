"""Names of institutions as users type them.

Input: a name of the register. Output: a variant of it. All variants are equal if case, spacing and
punctuation are ignored.
"""

import re

from hrims.simulator.random_source import RandomSource

_SMALL_WORDS = {"ya", "wa", "na", "za", "la", "kwa"}


def variant(name: str, rng: RandomSource) -> str:
    """Return the name unchanged for about half of the people, else in another spelling."""
    if rng.chance(0.55):
        return name
    return rng.choice([titled, titled, titled, str.upper, spaced, padded, dotted, loosened])(name)


def titled(name: str) -> str:
    """Return the name in title case: WIZARA YA AFYA → Wizara ya Afya."""
    return " ".join(_titled_word(word) for word in name.split(" "))


def _titled_word(word: str) -> str:
    if word.lower() in _SMALL_WORDS:
        return word.lower()
    return word.capitalize() if word.isupper() else word


def spaced(name: str) -> str:
    """Double the first space."""
    return name.replace(" ", "  ", 1)


def padded(name: str) -> str:
    """Add spaces around the name."""
    return f" {name}  "


def dotted(name: str) -> str:
    """Add a full stop at the end, as some clerks end a field."""
    return f"{name.rstrip(' .')} ."


def loosened(name: str) -> str:
    """Change commas, dashes and brackets as other users write them; never join two words."""
    without_brackets = re.sub(r"[()]", "", name)
    return re.sub(r"\s*([,-])\s*", r" \1 " if "," in name else r"\1", without_brackets)
