"""When leavers wait for a second person: counts come in; the reason in words, or None, goes out. Pure."""

from typing import NamedTuple

FEW = 3
"""Leavers up to which a share says nothing: of 20 people, one is 5 %."""

DAYS = 7
"""Days over which leavers are added up, so that many runs with few each are noticed too."""


class Limits(NamedTuple):
    """What leaves without asking: ``most`` people, and ``share`` per cent of the list."""

    most: int
    share: float


class Counts(NamedTuple):
    """What a run would do: ``leaving`` now, of ``listed`` on the list until then; ``lately`` left the
    institution within the last days without being asked; ``hidden`` records that HRIMS did not give or
    that could not be read, and of which nobody can tell whose they are.
    """

    leaving: int
    listed: int
    lately: int
    hidden: int


def why_wait(counts: Counts, limits: Limits) -> str | None:
    """Why these leavers wait for approval, or None when they need none.

    A large institution is held by the count, a small one by the share, from more than FEW people on;
    a list on which nobody would be left always waits, however short it was.
    """
    leaving, listed, lately, hidden = counts
    if leaving == 0:
        return None
    if leaving >= listed:
        return "Nobody would be left on the list."
    if hidden:
        return f"HRIMS did not give {hidden:,} {_records(hidden)} whole, and they may be among these people."
    both = leaving + lately
    within = f" within {DAYS} days" if lately else ""
    if both > limits.most:
        return f"{both:,} people would leave{within}, which is more than {limits.most:,}."
    share = 100 * both / (listed + lately)
    if both > FEW and share > limits.share:
        part = f"{share:.1f} % of the list, which is more than {limits.share:g} %"
        return f"{both:,} people would leave{within}, {part}."
    return None


def _records(count: int) -> str:
    return "record" if count == 1 else "records"
