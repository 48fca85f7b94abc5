"""Priorities of runs. Input: the name of a priority. Output: the priority number of the job. Pure."""

from typing import Final, Literal

Priority = Literal["urgent", "normal", "low"]

PRIORITIES: Final[dict[str, int]] = {"urgent": 10, "normal": 0, "low": -10}
"""Procrastinate's numbers: the job with the largest is taken first."""

NORMAL: Final[Priority] = "normal"


def lower_priorities(priority: str) -> list[str]:
    """Return the priorities that are lower."""
    return [other for other, number in PRIORITIES.items() if number < PRIORITIES[priority]]
