"""Each fault is seen by everything that should see it, and is over for all of them when it ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.resilience.observed.rows import ROWS, Row
from tests.resilience.observed.stage import Stage, small_disk
from tests.resilience.observed.table import PROPERTY
from tests.support.sample import sampled

EVERY_DAY = {3, 9}
"""The rows that run every day: a frozen database, and HRIMS down."""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Provide the running product, in which all is well."""
    with ExitStack() as ends:
        yield Stage(tmp_path, ends.enter_context(small_disk()), ends)


@pytest.mark.parametrize("number", sampled(range(len(ROWS)), EVERY_DAY), ids=lambda number: ROWS[number].name)
def test_a_fault_is_seen(stage: Stage, number: int, record_property: Callable[[str, object], None]) -> None:
    row, harness = ROWS[number], stage.harness
    harness.until_saved()
    with row.fault(stage):
        seen = _watch(stage, row)
    harness.server.back()
    harness.until_saved()
    harness.wait(lambda: not stage.not_ready(), lambda: f"/readyz: {stage.readiness()}")
    harness.wait(lambda: set(row.events) <= stage.events(), lambda: f"{row.events} of {stage.events()}")
    if row.alert:
        stage.prometheus.wait_until(lambda: row.alert not in stage.prometheus.firing(), "the alert's end")
    record_property(PROPERTY, [row.name, *seen, " ".join(row.events)])


def _watch(stage: Stage, row: Row) -> list[str]:
    """Wait until everything has seen the fault. Return what each said."""
    wait = stage.harness.wait
    if row.not_ready:
        wait(lambda: row.not_ready in stage.not_ready(), lambda: f"/readyz: {stage.readiness()}")
    ready = "200" if stage.readiness()["ok"] else "503"
    if row.doctor:
        how, _, check = row.doctor.partition(" ")
        wait(lambda: stage.doctor().get(check) == how, lambda: f"doctor: {stage.doctor()}")
    if row.query:
        stage.prometheus.wait_until(lambda: stage.prometheus.query(row.query), row.query)
    if row.alert:
        stage.prometheus.wait_until(lambda: row.alert in stage.prometheus.firing(), f"the alert {row.alert}")
    return [f"{ready} {row.not_ready}".strip(), row.doctor, row.query, row.alert]
