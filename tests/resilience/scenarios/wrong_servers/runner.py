"""Runs scenarios with a real worker and a real database. Input: scenarios. Output: for each of their runs,
what the product said and saved, and what is true.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import NamedTuple

import psycopg

from hrims.db import Connection
from hrims.jobs import control
from hrims.runs.model import Run
from tests.resilience.scenarios.wrong_servers.listing import Listing, Phase
from tests.resilience.scenarios.wrong_servers.people import Person, Population, listing_of
from tests.resilience.scenarios.wrong_servers.scenarios import Scenario
from tests.resilience.scenarios.wrong_servers.server import Server
from tests.support.harness import Harness
from tests.support.users import ASHA

SETTINGS = {
    "HRIMS_READ_TIMEOUT": "0.5",
    "HRIMS_REQUEST_TIMEOUT": "3",
    "HRIMS_PROBE_PAUSE": "0.2",
    "HRIMS_ATTEMPTS": "2",
    "HRIMS_LOG_LEVEL": "warning",
}
"""Short limits and pauses, and few attempts; what decides about outcomes and leavers stays at its default."""

TIMEOUT = 60.0
"""Seconds without a request after which a run counts as one that never ends; one that asks is bounded by the
number of its requests.
"""

VOTE_CODES = tuple(f"{number:03}" for number in range(1, 100))
"""Each scenario gets an institution of its own."""


class Row(NamedTuple):
    """One employee of the institution as saved."""

    zan_id: str
    name: str
    born: date | None
    payroll: str | None
    missed_runs: int
    has_left: bool
    is_proposed: bool
    changes: int


@dataclass(frozen=True)
class Result:
    """One run. ``throughout`` are the people who were listed from its first request to its end, ``sent`` are
    the people that the server sent in it.
    """

    phase: Phase
    run: Run
    has_ended: bool
    requests: int
    bound: int
    listed: int
    throughout: frozenset[Person]
    sent: frozenset[Person]
    rows: dict[str, Row]
    rejects: Counter[str]
    asked: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Played:
    """A scenario and its runs in order."""

    scenario: Scenario
    results: list[Result]


@contextmanager
def serving(dsn: str, folder: Path, listings: dict[str, Listing], **settings: str) -> Iterator[Harness]:
    """Serve these listings by vote code to one worker with these ``HRIMS_`` settings, in lower case."""
    with Server(listings) as server, psycopg.connect(dsn, autocommit=True) as conn:
        add_institutions(conn)
        harness = Harness(dsn, conn, server.url, folder)
        harness.settings |= SETTINGS | {f"HRIMS_{name.upper()}": value for name, value in settings.items()}
        harness.timeout = TIMEOUT
        try:
            harness.start_worker()
            yield harness
        finally:
            harness.close()


def play_all(dsn: str, folder: Path, scenarios: Sequence[Scenario]) -> list[Played]:
    """Run scenarios one after another, each on an institution of its own; all look at edges, or none."""
    (looks_at_edges,) = {scenario.looks_at_edges for scenario in scenarios}
    placed = dict(zip(VOTE_CODES, scenarios, strict=False))
    listings = {
        vote: listing_for(scenario, block) for block, (vote, scenario) in enumerate(placed.items(), 1)
    }
    edges_after = "0" if looks_at_edges else "60"
    with serving(dsn, folder, listings, edges_after=edges_after, page_pause="0.002") as harness:
        return [play_one(harness, vote, listings[vote], scenario) for vote, scenario in placed.items()]


def play_one(harness: Harness, vote: str, listing: Listing, scenario: Scenario) -> Played:
    """Run the phases of a scenario; its server is another one than that of the scenario before."""
    harness.conn.execute("DELETE FROM remote_page_sizes")
    return Played(scenario, [run_phase(harness, vote, listing, phase) for phase in scenario.phases])


def add_institutions(conn: Connection) -> None:
    """Put one institution for each vote code on the register."""
    for vote in VOTE_CODES:
        conn.execute(
            "INSERT INTO institutions (name, vote_code, tin) VALUES (%s, %s, %s)",
            (f"Taasisi ya Mfano {vote}", vote, f"900000{vote}"),
        )


def listing_for(scenario: Scenario, block: int) -> Listing:
    """Make the scenario's people; ``block`` keeps their ZanIDs apart from those of other scenarios."""
    population = Population(block)
    people = listing_of(
        population,
        Random(f"people {scenario.seed}"),
        count=scenario.count,
        twice=scenario.twice,
        keyless=scenario.keyless,
        clashes=scenario.clashes,
    )
    if scenario.is_keyless_last:
        people.sort(key=lambda person: not person.zan_id)
    return Listing(population, people, scenario.seed)


def run_phase(harness: Harness, vote: str, listing: Listing, phase: Phase) -> Result:
    """Run the institution once while it is served like this."""
    count = len(listing.people)
    listing.begin(phase, bound := request_bound(count, phase.page_size))
    run_id = harness.enqueue(vote, page_size=phase.page_size)
    run, has_ended = _wait(harness, run_id, listing)
    rejects = harness.rows(REJECTS.format(run=run_id))
    return Result(
        phase=phase,
        run=run,
        has_ended=has_ended and not listing.is_overrun,
        requests=len(listing.asked),
        bound=bound,
        listed=len(listing.people),
        throughout=frozenset(listing.throughout),
        sent=frozenset(listing.sent),
        rows={row[0]: Row(*row) for row in harness.rows(ROWS.format(vote=vote))},
        rejects=Counter(dict(rejects)),
        asked=tuple(listing.asked),
    )


def request_bound(count: int, page_size: int) -> int:
    """Return the maximum number of requests of a run: many passes, and every record requested alone."""
    return 30 * (count // page_size + 5) + 6 * count


def _wait(harness: Harness, run_id: int, listing: Listing) -> tuple[Run, bool]:
    requested = -1
    while len(listing.asked) > requested:
        requested = len(listing.asked)
        with suppress(AssertionError):
            return harness.wait_for_end(run_id), True
    control.cancel(harness.conn, ASHA, run_id)
    return harness.wait_for_end(run_id), False


ROWS = """
SELECT e.zan_id, e.name, e.date_of_birth, e.payroll_number, l.missed_runs,
       e.left_at IS NOT NULL OR l.ended_at IS NOT NULL,
       EXISTS (SELECT FROM departure_people p JOIN departures d ON d.id = p.departure_id
               WHERE p.employee_id = e.id AND d.state = 'waiting'),
       (SELECT count(*) FROM employee_changes c WHERE c.employee_id = e.id)
FROM listings l JOIN employees e ON e.id = l.employee_id
JOIN institutions i ON i.id = l.institution_id WHERE i.vote_code = '{vote}'
"""

REJECTS = """
SELECT code, count(DISTINCT page_size::bigint * page_number + position) FROM rejects
WHERE run_id = {run} GROUP BY code
"""


Play = Callable[[Scenario], Played]
"""A function that runs a scenario."""
