"""Every background task of a worker meets every class of SQLSTATE that says how the server is. Afterwards
everything works: no process and no worker inside it was started again, and no run has lost its worker.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from hrims.jobs import queue
from hrims.webhooks.store import insert_test
from tests.database.webhooks import endpoint
from tests.faults.conftest import Build
from tests.faults.house import VOTES, House
from tests.faults.injector import LOGIN, TASKS, Fault, Injector
from tests.receiver import Receiver

SECONDS = float(os.environ.get("HRIMS_TEST_SPELL_SECONDS", "15"))
"""How long a spell of the whole matrix lasts."""

CODES = ["08006", "25006", "53100", "55000", "57014", "57P01", "58030", "XX000"]
"""One of each class: 08 connection, 25 transaction state, 53 resources, 55 object state, 57 operator, 58
system, XX internal; and 57014, which is also that of a statement_timeout.
"""

ALL_AT_ONCE = "all at once"

QUEUE = {
    *("take webhooks", "end jobs", "listen", "cancel requests", "lost claims", "deadlines"),
    *("forget workers", "attempt log"),
}
HEART = {"heartbeat", "take runs", "attempts", "schedules", "cleaner", "tidy webhooks"}

SPELLS = {
    ALL_AT_ONCE: frozenset(TASKS),
    # Workers that work and cannot write their heartbeat; then workers that can, and cannot do the rest.
    # What follows another statement in the same loop fails in another spell than that.
    "heartbeat": frozenset(HEART),
    "queue": frozenset(QUEUE),
    "runs": frozenset(TASKS) - HEART - QUEUE - {LOGIN},
}

CUT_LISTENERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name LIKE 'hrims worker%' AND query LIKE 'LISTEN%'
"""

COVERED_BY = {
    "keep_watch": "rescuer",
    "keep_pruning": "cleaner",
    "keep_probing": "breaker",
    "keep_firing": "schedules",
    "keep_empty": "previews",
    "keep_delivering": "webhooks",
    "keep_tidy": "tidy webhooks",
}
"""What every worker does beside its runs, and where that is in the matrix."""

NOT_SO = "SELECT max(rescues), max(failures), count(*) FILTER (WHERE trouble_code = 'worker_died') FROM runs"

UNDELIVERED = "SELECT count(*) FROM webhook_messages WHERE state <> 'delivered'"

NUMBERS = "SELECT pid, array_agg(worker_id) FROM workers WHERE pid IN ({}, {}) GROUP BY pid ORDER BY pid"

SCHEDULE = """
INSERT INTO schedules (name, cron, time_zone, wish, institutions, page_size, priority, spread_minutes,
                       missed, next_at, made_by)
SELECT 'yearly', '0 0 1 1 *', 'UTC', 'selection', array_agg(id), 10, 'normal', 0,
       'once', now() + interval '1 year', 'x'
FROM institutions WHERE vote_code = '{}'
"""

FIRED = "SELECT became, count(*) FROM schedule_firings GROUP BY became"


class Matrix:
    """A house whose workers reach their database through the injector, and what came of each spell."""

    def __init__(self, house: House, injector: Injector) -> None:
        self.house, self.injector = house, injector
        self.cells: dict[tuple[str, str], str] = {}
        self.spells = 0
        self.receiver = 0

    def begin(self, silent: int) -> None:
        """Two workers at work, with more places than there are runs: they look for more all the time.

        They are presumed dead after ``silent`` seconds. A pool needs up to 5 to connect again.
        """
        self.house.settings |= {"HRIMS_CONCURRENCY": "3", "HRIMS_SILENT_SECONDS": str(silent)}
        pids = [self.house.start_worker().pid for _ in range(2)]
        self.house.until_saved(1)
        self.who = NUMBERS.format(*pids)
        self.numbers = self.house.rows(self.who)

    def spell(self, code: str, name: str, seconds: float) -> None:
        """Lets the tasks of one spell fail for so long, and waits for each to succeed again. When all fail, a
        third worker starts meanwhile.
        """
        house, injector = self.house, self.injector
        house.until_at_work(*house.working)
        house.conn.execute("UPDATE schedules SET next_at = now()")
        insert_test(house.conn, self.receiver)
        self.spells += 1
        injector.failed.clear()
        injector.fault = Fault(code, SPELLS[name], everything=name == ALL_AT_ONCE)
        house.conn.execute(CUT_LISTENERS)
        late = house.start_worker() if name == ALL_AT_ONCE else None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            house.keep_busy()
            time.sleep(0.2)  # the spell's length is meant
        injector.fault = None
        failed = dict(injector.failed)
        injector.passed.clear()
        house.wait(lambda: self._works(failed), lambda: f"{code} {name}: {self._missing(failed)}")
        house.until_all_live()
        if late:
            late.send_signal(signal.SIGTERM)
            assert late.wait(house.patience) == 0
            house.leaves(late)
        self._note(code, failed)
        words = f"{code}, {name}\n{house.standing()}\n{house.logs()}"
        assert house.rows(NOT_SO) == [(0, 0, 0)], words
        assert house.rows(self.who) == self.numbers, words
        assert all(worker.poll() is None for worker in house.working), words

    def _works(self, failed: dict[str, int]) -> bool:
        self.house.keep_busy()
        return not self._missing(failed) and self.house.rows(FIRED) == [("asked", self.spells)]

    def _missing(self, failed: dict[str, int]) -> set[str]:
        return {task for task in failed if not self.injector.passed[task]}

    def _note(self, code: str, failed: dict[str, int]) -> None:
        for task, count in failed.items():
            before = int(self.cells.get((task, code), "0 ok").split()[0])
            self.cells[task, code] = f"{before + count} ok"

    def end(self) -> None:
        """Everything that was begun has come to its end."""
        self.house.check()
        self.house.wait(lambda: self.house.rows(UNDELIVERED) == [(0,)], "the webhooks")

    def table(self, codes: list[str]) -> str:
        """Errors by task and SQLSTATE; ``ok``: afterwards the task did its work."""
        width = max(map(len, TASKS))
        head = " " * width + "".join(f"{code:>11}" for code in codes)
        rows = [
            f"{task:<{width}}" + "".join(f"{self.cells.get((task, code), '-'):>11}" for code in codes)
            for task in TASKS
        ]
        return "\n".join([head, *rows])


@pytest.fixture
def matrix(build: Build) -> Iterator[Matrix]:
    """A house without workers behind an injector; a receiver of webhooks and a schedule."""
    house = build(max_connections="100")
    injector = Injector(house.server.dsn)
    house.settings |= {"DATABASE_URL": injector.dsn, "HRIMS_WEBHOOK_PRIVATE": "yes"}
    house.conn.execute(SCHEDULE.format(VOTES[0]).encode())
    with Receiver() as receiver:
        made = Matrix(house, injector)
        made.receiver = endpoint(house.conn, receiver.url).id
        yield made
        house.close()
        injector.close()


def test_every_background_task_is_in_the_matrix() -> None:
    queue.app.perform_import_paths()  # type: ignore[no-untyped-call] # untyped in Procrastinate
    names = {str(getattr(one, "func", one).__name__) for one in queue.BESIDE}
    assert names == set(COVERED_BY), "add its statements to TASKS in tests/faults/injector.py"
    assert set(COVERED_BY.values()) <= set(TASKS)


def test_background_tasks_survive_some_sqlstates(matrix: Matrix) -> None:
    """A sample: longer than the silence after which a worker is presumed dead."""
    matrix.begin(silent=3)
    matrix.spell("25006", "heartbeat", 4)
    matrix.spell("XX000", "queue", 4)
    matrix.spell("57P01", "runs", 4)
    matrix.spell("57014", ALL_AT_ONCE, 4)
    matrix.end()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_background_tasks_survive_all_sqlstates(matrix: Matrix, capsys: pytest.CaptureFixture[str]) -> None:
    matrix.house.patience = 120
    matrix.begin(silent=8)
    for code in CODES:
        for name in SPELLS:
            matrix.spell(code, name, SECONDS)
    matrix.end()
    with capsys.disabled():
        print(f"\nErrors injected into {len(TASKS)} background tasks, and whether they work afterwards")  # noqa: T201
        print(matrix.table(CODES))  # noqa: T201 - the matrix is what this test is for
    assert set(matrix.cells) == {(task, code) for task in TASKS for code in CODES}
