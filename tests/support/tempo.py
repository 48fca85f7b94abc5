"""Order of the packages of tests, and a table of their times. Input: ids and reports of pytest."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Protocol

SLOW = ("tests/e2e/processes/", "tests/resilience/", "tests/e2e/", "tests/browser/", "tests/postgres/")
"""Packages whose tests take seconds, in the order in which they run."""


def rank(nodeid: str) -> int:
    """Return the place of a test's package. Slow ones come first, so that no process ends alone with one."""
    return next((number for number, package in enumerate(SLOW) if nodeid.startswith(package)), len(SLOW))


class Report(Protocol):
    """What the table needs of a report: one stage of one test."""

    nodeid: str
    when: str | None
    duration: float


def table(reports: Iterable[Report]) -> list[str]:
    """Return a line for each package: its tests, and the seconds of all processes together."""
    tests, seconds = Counter[str](), defaultdict[str, float](float)
    for report in reports:
        package = report.nodeid.partition("::")[0].rpartition("/")[0]
        tests[package] += report.when == "call"
        seconds[package] += report.duration
    slowest = sorted(seconds.items(), key=lambda item: -item[1])
    return [f"{package:50} {tests[package]:5} tests {value:7.0f} s" for package, value in slowest]
