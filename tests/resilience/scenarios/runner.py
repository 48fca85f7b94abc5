"""Plays scenarios with real processes: a scenario comes in, what the run said and what is true go out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from hrims.runs.model import Run
from tests.resilience.scenarios.scenarios import Change, Scenario
from tests.support.harness import World
from tests.support.simulated import Simulator

STAGE = {
    "HRIMS_READ_TIMEOUT": "1",
    "HRIMS_REQUEST_TIMEOUT": "3",
    "HRIMS_MAX_RESPONSE_MB": "3",
    "HRIMS_EDGES_AFTER": "0",
    "HRIMS_PAGE_PAUSE": "0.01",
    "HRIMS_PROBE_PAUSE": "0.2",
    "HRIMS_LOG_LEVEL": "warning",
}
"""Short limits and pauses, so that a remote that fails for hours fails for seconds."""

TIMEOUT = 300.0
"""Seconds after which a run that does not end fails."""

VOTES = ("001", "002", "003", "005", "006", "007", "008", "009", "010", "011")


def house(played: Sequence[Scenario]) -> dict[str, int]:
    """Return the sizes of the listings, by vote code, of a simulator for these scenarios."""
    return {vote: scenario.size - scenario.twice for vote, scenario in zip(VOTES, played, strict=False)}


@dataclass
class Played:
    """What came of a scenario."""

    scenario: Scenario
    run: Run
    requests: int
    seconds: float
    throughout: set[str]
    """The ZanIDs that were listed from the beginning to the end."""
    saved: set[str]
    """The ZanIDs that Postgres lists afterwards."""
    listings: int
    spoiled: set[str]
    """Those whose record cannot be had or kept: poison and wrong types."""
    rejects: list[tuple[str, int]] = field(default_factory=list)
    """Code and position of each reject."""
    silence: list[str] = field(default_factory=list)

    @property
    def cost(self) -> float:
        """Return requests for each page that a calm reading takes."""
        return self.requests / self.scenario.pages


def play(world: World, vote: str, scenario: Scenario) -> Played:
    """Play one scenario on the institution with this vote code. Its worker runs already."""
    remote = world.simulator
    remote.reset()
    spoiled = _prepare(world, vote, scenario)
    known = _listed(world, vote)
    base = remote.counters()["requests"]
    remote.control(faults=list(scenario.faults), moves=scenario.moves, total_drift=scenario.drift)
    started_at = time.monotonic()
    run_id = world.enqueue(vote, page_size=scenario.page_size)
    _change_meanwhile(world, vote, run_id, scenario.changes, known)
    run = world.wait_for_end(run_id)
    seconds = time.monotonic() - started_at
    requests = remote.counters()["requests"] - base
    saved = [zan_id for (zan_id,) in world.rows(LISTED.format(vote))]
    return Played(
        scenario,
        run,
        requests,
        seconds,
        set(known) & set(_listed(world, vote)),
        set(saved),
        len(saved),
        spoiled,
        world.rows(REJECTED.format(run_id)),
    )


LISTED = """
SELECT e.zan_id FROM listings l JOIN employees e ON e.id = l.employee_id
JOIN institutions i ON i.id = l.institution_id WHERE i.vote_code = '{}'
"""

REJECTED = "SELECT code, page_size * page_number + position FROM rejects WHERE run_id = {} ORDER BY reading"


def _listed(world: World, vote: str) -> list[str]:
    return [person["zan_id"] for person in world.simulator.people(vote=vote) if person["zan_id"]]


def _prepare(world: World, vote: str, scenario: Scenario) -> set[str]:
    """Set up the people and return those whose record cannot be fetched or saved."""
    remote = world.simulator
    known = [person["zan_id"] for person in remote.people(vote=vote)]
    numbered = [index for index, zan_id in enumerate(known) if zan_id]
    step = max(1, len(numbered) // 16)
    chosen = iter(numbered[scenario.seed % step :: step])
    for _ in range(scenario.without_key):
        remote.change_person(known[next(chosen)], **{"personalInfo.zanIdNumber": "  "})
    wrong = [known[next(chosen)] for _ in range(scenario.wrong_typed)]
    for zan_id in wrong:
        remote.change_person(zan_id, **{"personalInfo.firstName": 5})
    poison = [known[next(chosen)] for _ in range(scenario.poison)]
    for number in range(scenario.twice):
        again = known[next(chosen)]
        at = (number + 1) * len(known) // 4
        remote.add_people(vote=vote, count=1, at=at, fields={"personalInfo.zanIdNumber": again})
    remote.control(poison=[{"zanId": zan_id} for zan_id in poison])
    return {*wrong, *poison}


def _change_meanwhile(
    world: World, vote: str, run_id: int, changes: Sequence[Change], known: Sequence[str]
) -> None:
    """Change the listing at exact moments: the requests that come then wait until it is done."""
    passed, before = 0, None
    for change in changes:
        hold = world.simulator.hold(after=change.after - passed)
        if before is not None:
            world.simulator.release(before)
        passed, before = change.after, hold
        if not _held(world, run_id):
            break
        _change(world, vote, change, known)
    world.simulator.release()


def _held(world: World, run_id: int) -> bool:
    """Return whether a request waits; False when the run ends before it comes to that."""
    while not world.simulator.counters()["held"]:
        if world.run(run_id).ended:
            return False
        time.sleep(0.005)
    return True


def _change(world: World, vote: str, change: Change, known: Sequence[str]) -> None:
    remote, at, to = world.simulator, int(change.at * len(known)), int(change.to * len(known))
    if change.act == "move":
        remote.move_person(start=at, end=to, vote=vote)
    if change.act in {"add", "swap"}:
        remote.add_people(vote=vote, count=1, at=to)
    if change.act in {"remove", "swap"}:
        remote.remove_people(known[at], vote=vote)


def perform(dsn: str, folder: Path, scenarios: Sequence[Scenario]) -> list[Played]:
    """Play scenarios one after another, each on its own institution, with one simulator and one worker."""
    with (
        Simulator(sizes=house(scenarios), scale=0.02, latency_ms=4, jitter_ms=4) as remote,
        psycopg.connect(dsn, autocommit=True) as conn,
    ):
        world = World(dsn, conn, remote, folder)
        world.settings |= STAGE
        world.timeout = TIMEOUT
        try:
            world.start_worker()
            return [play(world, vote, scenario) for vote, scenario in zip(VOTES, scenarios, strict=False)]
        finally:
            world.close()
