"""Changes in HRIMS' answers are told with the run; a page without the key stops it before it writes."""

import pytest

from hrims.runs.model import Run
from tests.support.harness import World


def run(world: World) -> Run:
    return world.wait_for_end(world.enqueue())


def told(world: World) -> list[tuple[str, str]]:
    rows = world.rows("SELECT kind, field FROM drift_v ORDER BY job_id, field")
    return [(kind, field) for kind, field in rows]


def test_it_works(world: World) -> None:
    world.start_worker()
    assert run(world).drift == []
    assert run(world).drifted is None
    world.simulator.control(
        new_fields={"personalInfo.bloodGroup": "O+"},
        missing_fields=["employmentHistories.gradeName"],
        emptied_fields={"personalInfo.primaryPhone": 0.7},
    )
    changed = run(world)
    assert changed.outcome == "complete"
    assert told(world) == [
        ("missing_field", "employmentHistories.gradeName"),
        ("new_field", "personalInfo.bloodGroup"),
        ("emptier", "phone_number"),
    ]
    assert changed.drifted
    assert changed.drifted.startswith("HRIMS' answers have changed: new field personalInfo.bloodGroup; ")
    assert "field employmentHistories.gradeName is no longer sent" in changed.drifted
    assert run(world).drift == []


def test_a_field_of_another_type(world: World) -> None:
    world.simulator.control(new_fields={"personalInfo.payrollNumber": 963000})
    world.start_worker()
    changed = run(world)
    assert (changed.rejected, changed.outcome) == (240, "complete")
    assert changed.drifted == (
        "HRIMS' answers have changed: personalInfo.payrollNumber is of another type in 240 records."
    )


@pytest.mark.parametrize(
    "behaviour",
    [
        {"renamed_fields": {"personalInfo.zanIdNumber": "zanId"}},
        {"missing_fields": ["personalInfo"]},
        {"renamed_fields": {"personalInfo": "personal"}},
    ],
)
def test_a_page_without_the_key_stops_the_run_at_once(
    world: World, behaviour: dict[str, dict[str, str] | list[str]]
) -> None:
    world.simulator.control(**behaviour)
    world.start_worker()
    stopped = run(world)
    assert (stopped.state, stopped.attempt, stopped.trouble_code) == ("failed", 1, "remote_drifted")
    assert "zanIdNumber" in stopped.message
    for table in ("employees", "run_pages", "rejects", "reject_cases", "workplaces"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(0,)]
    assert world.simulator.counters()["requests"] == 1
    assert world.rows("SELECT address FROM remote_breakers") == []


def test_a_page_on_which_the_key_is_empty_is_rejects_as_usual(world: World) -> None:
    world.simulator.control(new_fields={"personalInfo.zanIdNumber": ""})
    world.start_worker()
    usual = run(world)
    assert (usual.state, usual.rejected, usual.people) == ("completed", 240, 0)
