"""Names of institutions as people type them: a name of the register in, a variant of it out.

Every variant is the same name once case, spacing and punctuation are left out of account.
"""

import re

from hrims.simulator.chance import Draw

_SMALL_WORDS = {"ya", "wa", "na", "za", "la", "kwa"}


def variant(name: str, draw: Draw) -> str:
    """The name as it stands for about half of the people, else in another spelling."""
    if draw.happens(0.55):
        return name
    return draw.one([titled, titled, titled, str.upper, spaced, padded, dotted, loosened])(name)


def titled(name: str) -> str:
    """WIZARA YA AFYA → Wizara ya Afya."""
    return " ".join(_titled_word(word) for word in name.split(" "))


def _titled_word(word: str) -> str:
    if word.lower() in _SMALL_WORDS:
        return word.lower()
    return word.capitalize() if word.isupper() else word


def spaced(name: str) -> str:
    """Two spaces where there was one."""
    return name.replace(" ", "  ", 1)


def padded(name: str) -> str:
    """Spaces around it."""
    return f" {name}  "


def dotted(name: str) -> str:
    """A full stop behind it, as some clerks end a field."""
    return f"{name.rstrip(' .')} ."


def loosened(name: str) -> str:
    """Commas, dashes and brackets as other people set them, never gluing two words together."""
    without_brackets = re.sub(r"[()]", "", name)
    return re.sub(r"\s*([,-])\s*", r" \1 " if "," in name else r"\1", without_brackets)
