"""People a second from fetch to saved, with every guarantee, beside a floor that guarantees nothing.

``python -m benchmarks.rate [people …]``; at least 10,000 a second, and half of the floor.
"""

import statistics
import subprocess
import sys
from typing import NamedTuple

from benchmarks import PROJECT
from benchmarks.floor import COLUMNS_SQL
from benchmarks.run_environment import RunDatabase, RunEnvironment, process_environment, run_environment

VOTE, PAGE, AT_ONCE = "001", 100, 4
ROUNDS = {10_000: 7, 100_000: 3}
LEAST, SHARE = 10_000, 0.5


class Rates(NamedTuple):
    """People a second, all new and then unchanged, and the worker's processor microseconds a person."""

    new: float
    unchanged: float
    cpu_new: float
    cpu_unchanged: float


def main(sizes: tuple[int, ...] = tuple(ROUNDS)) -> None:
    """Print floor and engine of alternating rounds, and the median of their ratios."""
    for people in sizes:
        with run_environment({VOTE: people}) as on:
            _measure(on, people, ROUNDS.get(people, 1))


def _measure(on: RunEnvironment, people: int, rounds: int) -> None:
    print(f"  {people:,} people, pages of {PAGE}, a second (new, unchanged); µs of processor a person")
    floors, engines = [], []
    for _ in range(rounds):
        floors.append(_floor(on, people))
        _print("floor", floors[-1])
        engines.append(_engine(on, people))
        _print("engine", engines[-1], floors[-1])
    ratios = [engine.new / floor.new for engine, floor in zip(engines, floors, strict=True)]
    rate, ratio = statistics.median(engine.new for engine in engines), statistics.median(ratios)
    verdict = "holds" if rate >= LEAST and ratio >= SHARE else "DOES NOT HOLD"
    print(
        f"  median {rate:,.0f} people/s, {ratio:.2f} of the floor; at least {LEAST:,} and {SHARE}: {verdict}"
    )


def _print(name: str, rates: Rates, floor: Rates | None = None) -> None:
    shares = (
        f"   of the floor {rates.new / floor.new:.2f} {rates.unchanged / floor.unchanged:.2f}"
        if floor
        else ""
    )
    print(
        f"    {name:8} {rates.new:>9,.0f} {rates.unchanged:>9,.0f} /s"
        f"   {rates.cpu_new:5.1f} {rates.cpu_unchanged:5.1f} µs{shares}",
        flush=True,
    )


def _engine(on: RunEnvironment, people: int) -> Rates:
    with on.database() as base, base.worker():
        first, again = base.run(VOTE, PAGE), base.run(VOTE, PAGE)
        _check(base, people)
    return Rates(
        people / first.seconds,
        people / again.seconds,
        first.cpu_seconds / people * 1e6,
        again.cpu_seconds / people * 1e6,
    )


def _check(base: RunDatabase, people: int) -> None:
    """Check that each person is saved once and that the second run wrote no employee."""
    found = base.conn.execute(
        "SELECT count(*), count(*) FILTER (WHERE last_changed_run_id = 1),"
        " (SELECT count(*) FROM listings) FROM employees"
    ).fetchone()
    assert found == (people, people, people), found


def _floor(on: RunEnvironment, people: int) -> Rates:
    with on.database() as base:
        base.conn.execute(f"CREATE TABLE floor ({COLUMNS_SQL}, PRIMARY KEY (zan_id))".encode())
        (new, cpu_new), (again, cpu_again) = _once(on, base, people), _once(on, base, people)
    return Rates(people / new, people / again, cpu_new / people * 1e6, cpu_again / people * 1e6)


def _once(on: RunEnvironment, base: RunDatabase, people: int) -> tuple[float, float]:
    pages = -(-people // PAGE)
    arguments = [on.simulator.url, base.dsn, VOTE, pages, PAGE, AT_ONCE]
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.floor", *map(str, arguments)],
        env=process_environment(on, base.dsn),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return float(finished[0]), float(finished[1])


if __name__ == "__main__":
    main(*([tuple(map(int, sys.argv[1:]))] if sys.argv[1:] else []))
