"""Every background task of a worker meets every class of SQLSTATE that says how the server is. Afterwards
everything works: no process and no worker inside it was started again, and no run has lost its worker.
"""

import os
import signal
import time
from collections.abc import Iterator

import pytest

from hrims import worker
from hrims.webhooks.store import insert_test
from tests.database.webhooks import endpoint
from tests.resilience.faults.harness import VOTES, Build, FaultHarness
from tests.resilience.faults.injector import LOGIN, TASKS, Fault, Injector
from tests.support.receiver import Receiver

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
    "run_rescuer": "rescuer",
    "run_cleaner": "cleaner",
    "run_breaker_probe": "breaker",
    "run_scheduler": "schedules",
    "run_delivery": "webhooks",
    "run_message_rescuer": "tidy webhooks",
    "run_head_messages": "audit head messages",
    "run_sequencer": "audit sequencer",
    "run_heads": "audit heads",
}
"""What every worker does beside its runs, and where that is in the matrix."""

NOT_SO = "SELECT max(rescues), max(failures), count(*) FILTER (WHERE trouble_code = 'worker_died') FROM runs"

UNDELIVERED = "SELECT count(*) FROM webhook_messages WHERE state <> 'delivered'"

NUMBERS = "SELECT pid, array_agg(worker_id) FROM workers WHERE pid IN ({}, {}) GROUP BY pid ORDER BY pid"

SCHEDULE = """
INSERT INTO schedules (name, cron, time_zone, scope, institutions, page_size, priority, spread_minutes,
                       missed, next_at, made_by, owner_id)
SELECT 'yearly', '0 0 1 1 *', 'UTC', 'selection', array_agg(id), 10, 'normal', 0,
       'once', now() + interval '1 year', 'binti', (SELECT id FROM users WHERE name = 'binti')
FROM institutions WHERE vote_code = '{}'
"""

FIRED = "SELECT became, count(*) FROM schedule_firings GROUP BY became"


class Matrix:
    """A harness whose workers reach their database through the injector, and what came of each spell."""

    def __init__(self, harness: FaultHarness, injector: Injector) -> None:
        self.harness, self.injector = harness, injector
        self.cells: dict[tuple[str, str], str] = {}
        self.spells = 0
        self.receiver = 0

    def begin(self, silent: int) -> None:
        """Provide two busy workers with more slots than runs: they poll all the time.

        They are presumed dead after ``silent`` seconds. A pool needs up to 5 to connect again.
        """
        self.harness.settings |= {"HRIMS_CONCURRENCY": "3", "HRIMS_SILENT_SECONDS": str(silent)}
        pids = [self.harness.start_worker().pid for _ in range(2)]
        self.harness.until_saved(1)
        self.who = NUMBERS.format(*pids)
        self.numbers = self.harness.rows(self.who)

    def spell(self, code: str, name: str, seconds: float) -> None:
        """Let the tasks of one spell fail for so long, and waits for each to succeed again. When all fail, a
        third worker starts meanwhile.
        """
        harness, injector = self.harness, self.injector
        harness.until_at_work(*harness.working)
        harness.conn.execute("UPDATE schedules SET next_at = now()")
        insert_test(harness.conn, self.receiver)
        self.spells += 1
        injector.failed.clear()
        injector.fault = Fault(code, SPELLS[name], everything=name == ALL_AT_ONCE)
        harness.conn.execute(CUT_LISTENERS)
        late = harness.start_worker() if name == ALL_AT_ONCE else None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            harness.keep_busy()
            time.sleep(0.2)  # the spell's length is meant
        injector.fault = None
        failed = dict(injector.failed)
        injector.passed.clear()
        harness.wait(lambda: self._works(failed), lambda: f"{code} {name}: {self._missing(failed)}")
        harness.until_all_live()
        if late:
            late.send_signal(signal.SIGTERM)
            assert late.wait(harness.timeout) == 0
            harness.leaves(late)
        self._note(code, failed)
        context = f"{code}, {name}\n{harness.describe_state()}\n{harness.logs()}"
        assert harness.rows(NOT_SO) == [(0, 0, 0)], context
        assert harness.rows(self.who) == self.numbers, context
        assert all(worker.poll() is None for worker in harness.working), context

    def _works(self, failed: dict[str, int]) -> bool:
        self.harness.keep_busy()
        return not self._missing(failed) and self.harness.rows(FIRED) == [("enqueued", self.spells)]

    def _missing(self, failed: dict[str, int]) -> set[str]:
        return {task for task in failed if not self.injector.passed[task]}

    def _note(self, code: str, failed: dict[str, int]) -> None:
        for task, count in failed.items():
            before = int(self.cells.get((task, code), "0 ok").split()[0])
            self.cells[task, code] = f"{before + count} ok"

    def end(self) -> None:
        """Finish everything that was started."""
        self.harness.check()
        self.harness.wait(lambda: self.harness.rows(UNDELIVERED) == [(0,)], "the webhooks")

    def table(self, codes: list[str]) -> str:
        """Return errors by task and SQLSTATE; ``ok``: afterwards the task did its work."""
        width = max(map(len, TASKS))
        head = " " * width + "".join(f"{code:>11}" for code in codes)
        rows = [
            f"{task:<{width}}" + "".join(f"{self.cells.get((task, code), '-'):>11}" for code in codes)
            for task in TASKS
        ]
        return "\n".join([head, *rows])


@pytest.fixture
def matrix(build: Build) -> Iterator[Matrix]:
    """Provide a harness without workers behind an injector; a receiver of webhooks and a schedule."""
    harness = build(max_connections="100")
    injector = Injector(harness.server.dsn)
    harness.settings |= {
        "DATABASE_URL": injector.dsn,
        "HRIMS_WEBHOOK_PRIVATE": "yes",
        "HRIMS_AUDIT_HEAD_SECONDS": "1",
    }
    harness.conn.execute(SCHEDULE.format(VOTES[0]).encode())
    with Receiver() as receiver:
        made = Matrix(harness, injector)
        made.receiver = endpoint(harness.conn, receiver.url).id
        yield made
        harness.close()
        injector.close()


WITHOUT_SQL = {"run_metrics"}
"""Background tasks that execute no statement."""


def test_every_background_task_is_in_the_matrix() -> None:
    names = {str(getattr(task, "func", task).__name__) for task in worker.BACKGROUND_TASKS}
    assert names - WITHOUT_SQL == set(COVERED_BY), (
        "add its statements to TASKS in tests/resilience/faults/injector.py"
    )
    assert set(COVERED_BY.values()) <= set(TASKS)


def test_background_tasks_survive_some_sqlstates(matrix: Matrix) -> None:
    """A sample: longer than the silence after which a worker is presumed dead."""
    matrix.begin(silent=3)
    matrix.spell("25006", "heartbeat", 4)
    matrix.spell("57014", ALL_AT_ONCE, 4)
    matrix.end()


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_background_tasks_survive_all_sqlstates(matrix: Matrix, capsys: pytest.CaptureFixture[str]) -> None:
    matrix.harness.timeout = 120
    matrix.begin(silent=8)
    for code in CODES:
        for name in SPELLS:
            matrix.spell(code, name, SECONDS)
    matrix.end()
    with capsys.disabled():
        print(f"\nErrors injected into {len(TASKS)} background tasks, and whether they work afterwards")  # noqa: T201
        print(matrix.table(CODES))  # noqa: T201 - the matrix is what this test is for
    assert set(matrix.cells) == {(task, code) for task in TASKS for code in CODES}
