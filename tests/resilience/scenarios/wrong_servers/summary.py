"""The table of all scenarios at the end of a test session. Input: played scenarios, through the reports of
the tests that played them. Output: lines of text. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from tests.resilience.scenarios.wrong_servers import checks
from tests.resilience.scenarios.wrong_servers.runner import Played

PROPERTY = "wrong servers"
"""Under this name a test's report carries its rows to the session's end, also out of pytest-xdist."""

Summary = tuple[str, int, list[str], int, int]


def rows(played: Sequence[Played]) -> list[Summary]:
    """Return for each scenario its behaviour, seed, outcomes, requests of its longest run, and faults."""
    return [
        (
            result.scenario.kind,
            result.scenario.seed,
            [result.run.outcome or result.run.state for result in result.results],
            max(result.requests for result in result.results),
            len(checks.faults(result)),
        )
        for result in played
    ]


def table(found: Iterable[Sequence[Any]]) -> list[str]:
    """Return a line for each behaviour: its seeds, how the runs ended, and which claims were untrue."""
    by_kind: dict[str, list[Sequence[Any]]] = defaultdict(list)
    for row in found:
        by_kind[row[0]].append(row)
    lines = [_line(kind, by_kind[kind]) for kind in sorted(by_kind)]
    total = [row for rows_of_kind in by_kind.values() for row in rows_of_kind]
    return [*lines, _line(f"all {len(by_kind)} behaviours", total)] if total else []


def _line(kind: str, found: Sequence[Sequence[Any]]) -> str:
    outcomes = Counter(outcome for row in found for outcome in row[2])
    counted = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    untrue = sorted(row[1] for row in found if row[4])
    verdict = f"UNTRUE in seeds {', '.join(map(str, untrue))}" if untrue else "all claims true"
    requests = max(row[3] for row in found)
    return f"{kind:55} {len(found):4} seeds; runs: {counted}; at most {requests} requests; {verdict}"
