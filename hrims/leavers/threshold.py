"""Decides when leavers need approval. Input: counts. Output: the reason as a message, or None. Pure."""

from typing import NamedTuple

FEW_LEAVERS = 3
"""Number of leavers up to which a share proves nothing: of 20 employees, one is 5 %."""

DAYS = 7
"""Days over which leavers are summed, so that many runs with few leavers each are detected too."""


class Limits(NamedTuple):
    """What leaves without approval: ``people``, and ``share`` per cent of the list."""

    people: int
    share: float


class Counts(NamedTuple):
    """What a run would do.

    ``leaving`` would leave now, of ``listed`` on the list until then. ``recent`` left the institution within
    the last DAYS days without approval. ``unknown`` records were not sent by HRIMS or cannot be read, so
    their employees are unknown.
    """

    leaving: int
    listed: int
    recent: int
    unknown: int


def approval_reason(counts: Counts, limits: Limits) -> str | None:
    """Return why these leavers need approval, or None if they do not.

    The count limits a large institution. The share limits a small one, if more than FEW_LEAVERS leave.
    A list that would become empty always needs approval, however short it was.
    """
    leaving, listed, recent, unknown = counts
    if leaving == 0:
        return None
    if leaving >= listed:
        return "No employee would be left on the list."
    if unknown:
        return (
            f"HRIMS did not give {unknown:,} {_records(unknown)} whole, and they may be among these people."
        )
    total = leaving + recent
    within = f" within {DAYS} days" if recent else ""
    if total > limits.people:
        return f"{total:,} people would leave{within}, which is more than {limits.people:,}."
    share = 100 * total / (listed + recent)
    if total > FEW_LEAVERS and share > limits.share:
        part = f"{share:.1f} % of the list, which is more than {limits.share:g} %"
        return f"{total:,} people would leave{within}, {part}."
    return None


def _records(count: int) -> str:
    return "record" if count == 1 else "records"
