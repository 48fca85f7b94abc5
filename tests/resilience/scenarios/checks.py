"""Judges scenarios: what was played comes in; who was lost in silence, or is there twice, goes out. Pure."""

from collections import Counter
from collections.abc import Sequence

from tests.resilience.scenarios.runner import Played

OF_MAIMED = {"wrong_type", "not_a_record", "unreadable", "no_zan_id"}
"""What a record looks like that was spoiled on its way."""

GOOD = {"complete", "complete_after_repair"}


def faults(played: Played) -> list[str]:
    """Return what is wrong with how this ended, in words; empty when nothing is."""
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
    """Return how many people listed all the time are neither saved nor rejected."""
    lost = len(played.throughout - played.saved - played.spoiled)
    if not played.scenario.maims:
        return lost
    positions = {position for code, position in played.rejects if code in OF_MAIMED}
    # Records that were spoiled on the way have no known owner, so they are counted.
    return max(0, lost - len(positions))


def row(all_played: Sequence[Played]) -> str:
    """Return the figures of these scenarios, as a benchmark prints them."""
    outcomes = Counter(result.run.outcome or result.run.state for result in all_played)
    calm = [result for result in all_played if not result.scenario.may_stay_open]
    proven = sum(result.run.outcome in GOOD for result in calm)
    dearest = max(all_played, key=lambda result: result.cost)
    mean = sum(result.requests for result in all_played) / sum(result.scenario.pages for result in all_played)
    silent = sum(unexplained(result) for result in all_played if result.run.outcome in GOOD)
    twice = sum(result.listings - len(result.saved) for result in all_played)
    outcomes_text = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
    people = sum(result.scenario.size for result in all_played)
    share = f"{proven / len(calm):.0%}" if calm else "none"
    highest_cost = f"{dearest.cost:.1f} at most (seed {dearest.scenario.seed})"
    return (
        f"  {len(all_played)} scenarios, {people:,} people: {silent} missing in silence, {twice} twice\n"
        f"  outcomes: {outcomes_text}\n"
        f"  could be proved: {len(calm)}; were proved complete: {proven} ({share})\n"
        f"  requests for a page needed: {highest_cost}, {mean:.1f} mean"
    )


def line(played: Played) -> str:
    """Return one scenario and its end."""
    scenario, run = played.scenario, played.run
    return (
        f"seed {scenario.seed}: {scenario.size:,} people by {scenario.page_size}, "
        f"{scenario.rate:.0%} failing: {run.outcome}, "
        f"attempt {run.attempt}, {played.cost:.1f} requests for a page needed, {played.seconds:.1f} s"
    )
