"""Kills workers and looks what became of their run: a world comes in, losses and repeats go out."""

import random
import subprocess
import time
from dataclasses import dataclass

from hrims.runs.model import Run
from tests.support.harness import World

PAGES = 10
"""Pages of the listing of the world's ministry: 240 people by 25."""

IN_FLIGHT = 8
"""Pages that are asked for or being saved at once: four at the remote, and as many that are saved."""

END_REQUESTS = 2
"""Requests of one attempt for the page after the list. The first counts only if it is answered last."""

MOST_KILLS = 3
"""A run whose worker died more often is given up."""


QUICK = {"HRIMS_BEAT_SECONDS": "0.3", "HRIMS_SILENT_SECONDS": "1.5"}
"""With these a dead worker is noticed soon."""


@dataclass
class Aftermath:
    """What was true after a run whose workers were killed."""

    run: Run
    kills: int
    lost: int
    twice: int
    again: int
    """Pages that were answered more often than they would have been without kills."""
    seconds: list[float]
    """From each kill to the attempt that followed it."""


def killed_at(world: World, step: str, nth: int) -> Aftermath:
    """Run with a worker that dies at this step, then with one that survives."""
    child = start_crash_child(world, step, nth)
    run_id = world.enqueue()
    child.wait(60)
    died = now(world)
    world.start_worker()
    return aftermath(world, run_id, [died])


def killed_at_random(world: World, seed: int, kills: int = MOST_KILLS) -> Aftermath:
    """Run with workers that are killed one after another at moments that the seed decides."""
    rng, deaths = random.Random(seed), list[float]()
    world.simulator.control(latency_ms=20, jitter_ms=20)
    worker = world.start_worker()
    run_id = world.enqueue()
    for number in range(1, kills + 1):
        world.wait_until(run_id, lambda run, number=number: run.attempt >= number or run.ended)  # type: ignore[misc]
        time.sleep(rng.uniform(0, 0.25))  # a kill at any moment is what is meant
        worker.kill()
        deaths.append(now(world))
        worker = world.start_worker()
        if world.run(run_id).ended:
            break
    return aftermath(world, run_id, deaths)


def as_they_come(world: World) -> None:
    """Let workers beat and fall silent as they do without settings."""
    for name in QUICK:
        del world.settings[name]


def start_crash_child(world: World, step: str, nth: int) -> subprocess.Popen[bytes]:
    """Return a worker that dies at this step."""
    return world.start_worker("python", "-m", "tests.resilience.crash.crash_child", step, str(nth))


def now(world: World) -> float:
    """Return the database's time in seconds, by which attempts are counted."""
    return float(world.rows("SELECT extract(epoch FROM clock_timestamp())")[0][0])


def aftermath(world: World, run_id: int, deaths: list[float]) -> Aftermath:
    """Wait for the run's end and compares."""
    run = world.wait_for_end(run_id)
    listed = {person["zan_id"] for person in world.simulator.people(vote="001")}
    saved = [zan_id for (zan_id,) in world.rows(SAVED)]
    answered = world.simulator.response_counts(key="001")
    started_at = [float(at) for (at,) in world.rows(BEGAN.format(run_id))]
    followed = [min((at for at in started_at if at > died), default=died) - died for died in deaths]
    return Aftermath(
        run,
        len(deaths),
        len(listed - set(saved)),
        len(saved) - len(set(saved)),
        max(0, sum(answered.values()) - PAGES - 1),
        [seconds for seconds in followed if seconds > 0],
    )


SAVED = "SELECT e.zan_id FROM listings l JOIN employees e ON e.id = l.employee_id"
BEGAN = "SELECT extract(epoch FROM started_at) FROM run_attempts WHERE run_id = {} ORDER BY number"


def allowed_again(kills: int) -> int:
    """Return pages that so many kills may cost at most: those in flight, and a look at the total."""
    return kills * (IN_FLIGHT + 1)
