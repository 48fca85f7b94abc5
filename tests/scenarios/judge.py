"""Judges scenarios: what was played comes in; who was lost in silence, or is there twice, goes out. Pure."""

from collections import Counter
from collections.abc import Sequence

from tests.scenarios.theatre import Played

OF_MAIMED = {"wrong_type", "not_a_record", "unreadable", "no_zan_id"}
"""What a record looks like that was spoiled on its way."""

GOOD = {"complete", "complete_after_repair"}


def faults(played: Played) -> list[str]:
    """What is wrong with how this ended, in words; empty when nothing is."""
    run = played.run
    found = []
    if run.state != "completed":
        found.append(f"ended {run.state}: {run.message}")
    if played.listings != len(played.saved):
        found.append(f"{played.listings - len(played.saved)} people are there twice")
    lost = unexplained(played)
    if run.outcome in GOOD and lost:
        found.append(f"{lost} people are missing in silence")
    if run.outcome == "incomplete" and not (run.missing or run.trouble):
        found.append("incomplete, but does not say why")
    if run.outcome == "incomplete" and not played.scenario.may_stay_open:
        found.append(f"incomplete although it could be proved: {run.missing} missing, {run.trouble}")
    return found


def unexplained(played: Played) -> int:
    """People listed all the time who are neither saved nor accounted for by a reject of theirs."""
    lost = len(played.throughout - played.saved - played.spoiled)
    if not played.scenario.maims:
        return lost
    positions = {position for code, position in played.rejects if code in OF_MAIMED}
    # Of the records spoiled on their way nobody can tell whose they were: they are counted.
    return max(0, lost - len(positions))


def row(all_played: Sequence[Played]) -> str:
    """The figures of these scenarios, as a benchmark prints them."""
    outcomes = Counter(one.run.outcome or one.run.state for one in all_played)
    calm = [one for one in all_played if not one.scenario.may_stay_open]
    proven = sum(one.run.outcome in GOOD for one in calm)
    dearest = max(all_played, key=lambda one: one.cost)
    mean = sum(one.requests for one in all_played) / sum(one.scenario.pages for one in all_played)
    silent = sum(unexplained(one) for one in all_played if one.run.outcome in GOOD)
    twice = sum(one.listings - len(one.saved) for one in all_played)
    told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    people = sum(one.scenario.size for one in all_played)
    share = f"{proven / len(calm):.0%}" if calm else "none"
    most = f"{dearest.cost:.1f} at most (seed {dearest.scenario.seed})"
    return (
        f"  {len(all_played)} scenarios, {people:,} people: {silent} missing in silence, {twice} twice\n"
        f"  outcomes: {told}\n"
        f"  could be proved: {len(calm)}; were proved complete: {proven} ({share})\n"
        f"  requests for a page needed: {most}, {mean:.1f} mean"
    )


def line(played: Played) -> str:
    """One scenario and its end."""
    one, run = played.scenario, played.run
    return (
        f"seed {one.seed}: {one.size:,} people by {one.page_size}, {one.rate:.0%} failing: {run.outcome}, "
        f"attempt {run.attempt}, {played.cost:.1f} requests for a page needed, {played.seconds:.1f} s"
    )
