"""The steps of a sync, and which step follows which. Pure.

Input: what a step found. Output: the next step, or the outcome. ``docs/explanation/completeness.md`` has the
same table, with the reasons.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

MAX_MISSING_FOR_EDGES = 10
"""The maximum number of missing people for which the edges between pages are read again first."""


class Step(StrEnum):
    """A step of a sync. It reads a list, or a part of it, and compares the counts with HRIMS' total."""

    FIRST_PASS = "first pass"  # noqa: S105 - a pass over a list
    """Read the whole list."""
    VERIFY_EDGES = "verify edges"
    """Read the edges between pages again, to prove that no employee moved across one."""
    REPAIR_EDGES = "repair edges"
    """Read more records around the edges again, to find employees who moved across one."""
    SECOND_PASS = "second pass"  # noqa: S105 - a pass over a list
    """Read the whole list again."""
    THIRD_PASS = "third pass"  # noqa: S105 - a pass over a list
    """Read the whole list a last time."""


class Outcome(StrEnum):
    """How a completed sync ended."""

    COMPLETE = "complete"
    COMPLETE_AFTER_REPAIR = "complete_after_repair"
    INCOMPLETE = "incomplete"


class Finding(NamedTuple):
    """What is known after a step."""

    is_proven: bool
    """Whether every record of HRIMS' total is accounted for, and the counts are a proof."""
    missing: int = 0
    """The part of HRIMS' total that is not accounted for."""
    is_total_stable: bool = True
    """Whether HRIMS gave the same total with every page."""
    is_long: bool = False
    """Whether the run read for so long that employees may have left and joined meanwhile."""
    has_small_pages: bool = True
    """Whether HRIMS gives pages as small as an edge."""


class Rule(NamedTuple):
    """A row of the table: after the step ``after``, ``then`` follows if ``applies``."""

    after: Step
    condition: str
    applies: Callable[[Finding], bool]
    then: Step | Outcome


def _is_proven(found: Finding) -> bool:
    return found.is_proven


def _is_proven_quickly(found: Finding) -> bool:
    return found.is_proven and not found.is_long


def _is_proven_slowly(found: Finding) -> bool:
    return found.is_proven and found.is_long and found.has_small_pages


def _is_missing_few(found: Finding) -> bool:
    is_few = 0 < found.missing <= MAX_MISSING_FOR_EDGES
    return is_few and found.is_total_stable and found.has_small_pages


def _otherwise(_found: Finding) -> bool:
    return True


RULES = (
    Rule(Step.FIRST_PASS, "proven, read quickly", _is_proven_quickly, Outcome.COMPLETE),
    Rule(Step.FIRST_PASS, "proven, read slowly, pages can be small", _is_proven_slowly, Step.VERIFY_EDGES),
    Rule(
        Step.FIRST_PASS,
        "few missing, total stable, pages can be small",
        _is_missing_few,
        Step.REPAIR_EDGES,
    ),
    Rule(Step.FIRST_PASS, "otherwise", _otherwise, Step.SECOND_PASS),
    Rule(Step.VERIFY_EDGES, "proven", _is_proven, Outcome.COMPLETE),
    Rule(Step.VERIFY_EDGES, "otherwise", _otherwise, Step.SECOND_PASS),
    Rule(Step.REPAIR_EDGES, "proven", _is_proven, Outcome.COMPLETE_AFTER_REPAIR),
    Rule(Step.REPAIR_EDGES, "otherwise", _otherwise, Step.SECOND_PASS),
    Rule(Step.SECOND_PASS, "proven", _is_proven, Outcome.COMPLETE_AFTER_REPAIR),
    Rule(Step.SECOND_PASS, "otherwise", _otherwise, Step.THIRD_PASS),
    Rule(Step.THIRD_PASS, "proven", _is_proven, Outcome.COMPLETE_AFTER_REPAIR),
    Rule(Step.THIRD_PASS, "otherwise", _otherwise, Outcome.INCOMPLETE),
)
"""The first rule that applies decides."""


def next_step(after: Step, found: Finding) -> Step | Outcome:
    """Return the step that follows ``after``, or the outcome."""
    return next(rule.then for rule in RULES if rule.after == after and rule.applies(found))
