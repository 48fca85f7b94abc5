"""Cost of records that break HRIMS: 6,408 people, two records broken, 8 % of pages failing, 300 ms a page.

Prints requests and seconds beside the ideal, with ``HRIMS_EDGES_AFTER`` off and on, and the maximum number of
tries of a single record. ``python -m benchmarks.broken``
"""

from typing import Any

from benchmarks.run_environment import run_environment

VOTE, PEOPLE, PAGE = "037", 6408, 100
BROKEN = (1234, 5321)
LATENCY, FAILING, AT_ONCE = 0.300, 0.08, 4
SEEDS = (1, 2, 3)
EDGES = {"off": "86400", "on": "0"}

PAGES = -(-PEOPLE // PAGE)
MOST_REQUESTS = PAGES + 40 * len(BROKEN)
MOST_TRIES, MOST_SLOWER = 6, 2.5


def main() -> None:
    """Print a line for each seed and setting, then whether the limits hold."""
    print(f"    ideal: {PAGES} requests, {PAGES * LATENCY / AT_ONCE:.1f} s")
    for name, after in EDGES.items():
        _print_limits(name, [_measure(seed, name, after) for seed in SEEDS])


def _measure(seed: int, name: str, after: str) -> tuple[int, float, int]:
    """Return requests, seconds as a multiple of (requests × latency ÷ 4), and tries of one record."""
    poison = [{"vote": VOTE, "index": index} for index in BROKEN]
    behaviour = {"latency_ms": LATENCY * 1000, "failure_rate": FAILING, "poison": poison}
    with (
        run_environment({VOTE: PEOPLE}, seed=seed, **behaviour) as on,
        on.database() as base,
        base.worker(HRIMS_MAX_IN_FLIGHT=str(AT_ONCE), HRIMS_EDGES_AFTER=after),
    ):
        took = base.run(VOTE, PAGE)
        seen = on.simulator.counters()
    requests, tries = seen["requests"], _most_tries(seen)
    least = requests * LATENCY / AT_ONCE
    print(
        f"    edges {name:3}  seed {seed}: {requests} requests, {seen['max_in_flight']} in flight,"
        f" {took.seconds:.1f} s, {took.seconds / least:.2f} × {least:.1f} s;"
        f" a single record at most {tries} times",
        flush=True,
    )
    return requests, took.seconds / least, tries


def _most_tries(seen: dict[str, Any]) -> int:
    return max((page["asked"] for page in seen["pages"] if page["size"] == 1), default=0)


def _print_limits(name: str, figures: list[tuple[int, float, int]]) -> None:
    requests, slower, tries = (max(values) for values in zip(*figures, strict=True))
    lines = [f"tries at most {MOST_TRIES}: {_verdict(tries <= MOST_TRIES)}"]
    if name == "off":
        # Reading the edges costs one more request for each edge.
        lines += [
            f"requests at most {MOST_REQUESTS}: {_verdict(requests <= MOST_REQUESTS)}",
            f"seconds at most {MOST_SLOWER} ×: {_verdict(slower <= MOST_SLOWER)}",
        ]
    print(f"  edges {name}: {', '.join(lines)}")


def _verdict(holds: bool) -> str:
    return "holds" if holds else "DOES NOT HOLD"


if __name__ == "__main__":
    main()
