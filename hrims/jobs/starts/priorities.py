"""How urgent a run is: the word that people use comes in, the number of its job goes out. Pure."""

from typing import Final

from hrims.errors import InvalidInput

PRIORITIES: Final = {"urgent": 10, "normal": 0, "low": -10}
"""Procrastinate's numbers: the largest is taken first."""

NORMAL: Final = "normal"


def below(priority: str) -> list[str]:
    """Those that are less urgent."""
    return [other for other, number in PRIORITIES.items() if number < PRIORITIES[priority]]


def check_priority(priority: object) -> str:
    """The same word. Raises InvalidInput unless it is ``urgent``, ``normal`` or ``low``."""
    if not isinstance(priority, str) or priority not in PRIORITIES:
        raise InvalidInput(
            f"priority must be one of {', '.join(PRIORITIES)}. Nothing was changed.", "bad_priority"
        )
    return priority
