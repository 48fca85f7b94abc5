"""Leavers, transfers and returns: what complete runs derive about employees that they do not list."""

from typing import Any

import pytest

from tests.database.lists import Lists
from tests.support.databases import execute_as_owner
from tests.support.people import record

MANY = range(100, 130)
"""Others on the list, who stay."""


async def test_it_works(lists: Lists) -> None:
    first, second, third = await lists.leave([1], MANY)
    assert lists.leavers() == [1]
    assert lists.rows("SELECT left_run_id FROM employees WHERE left_at IS NOT NULL") == [(third,)]
    assert lists.events(1) == [("left", third, None)]
    assert lists.rows(
        "SELECT since_run_id, missed_runs, missed_since_run_id, ended_run_id FROM listings"
        " WHERE ended_at IS NOT NULL"
    ) == [(first, 2, second, third)]
    assert lists.rows("SELECT job_id, leavers, leavers_waiting FROM runs_v ORDER BY 1") == [
        (first, 0, 0),
        (second, 0, 0),
        (third, 1, 0),
    ]
    assert lists.departures() == [(1, "applied", 1, 1, 0)]


async def test_one_miss_makes_no_leaver(lists: Lists) -> None:
    await lists.run([1, *MANY])
    await lists.run(MANY)
    assert lists.leavers() == []
    assert lists.rows("SELECT missed_runs FROM listings WHERE missed_runs > 0") == [(1,)]


async def test_how_many_misses_is_a_setting(lists: Lists) -> None:
    lists.environ["HRIMS_LEAVE_AFTER"] = "3"
    await lists.leave([1], MANY)
    assert lists.leavers() == []
    await lists.run(MANY)
    assert lists.leavers() == [1]


async def test_misses_count_in_a_row(lists: Lists) -> None:
    for people in ([1, *MANY], MANY, [1, *MANY], MANY):
        await lists.run(people)
    assert lists.leavers() == []
    await lists.run(MANY)
    assert lists.leavers() == [1]


async def test_an_incomplete_run_counts_meetings_but_no_misses(lists: Lists) -> None:
    await lists.run([1, 2, *MANY])
    await lists.run(MANY, missing=2)
    await lists.run(MANY, missing=2)
    assert lists.rows("SELECT sum(missed_runs) FROM listings") == [(0,)]
    await lists.run(MANY)
    await lists.run([1, *MANY], missing=1)
    await lists.run(MANY)
    assert lists.leavers() == [2]


async def test_a_person_on_another_list_was_transferred(lists: Lists) -> None:
    await lists.run([1, *range(200, 210)], "water")
    _, _, third = await lists.leave([1], MANY)
    assert lists.leavers() == []
    assert lists.events(1) == [("transferred", third, None)]
    assert lists.departures() == [(1, "applied", 1, 0, 1)]
    assert lists.rows("SELECT leavers FROM runs_v WHERE job_id = %s", third) == [(0,)]


async def test_an_employee_whose_last_list_drops_them_has_left(lists: Lists) -> None:
    await lists.run([1, *range(200, 230)], "water")
    await lists.leave([1], MANY)
    await lists.run(range(200, 230), "water")
    last = await lists.run(range(200, 230), "water")
    assert lists.leavers() == [1]
    assert [kind for kind, *_ in lists.events(1)] == ["transferred", "left"]
    assert lists.rows("SELECT left_run_id FROM employees WHERE left_at IS NOT NULL") == [(last,)]


async def test_an_employee_on_the_list_of_the_other_number_did_not_leave(lists: Lists) -> None:
    await lists.run([1, *MANY], by="tin")
    await lists.leave([1], MANY)
    assert lists.leavers() == []
    assert [kind for kind, *_ in lists.events(1)] == ["unlisted"]
    await lists.run(MANY, by="tin")
    await lists.run(MANY, by="tin")
    assert lists.leavers() == [1]


@pytest.mark.parametrize("where", ["health", "water"])
async def test_an_employee_met_on_any_list_returned(lists: Lists, where: str) -> None:
    *_, third = await lists.leave([1], MANY)
    back = await lists.run([1, *MANY] if where == "health" else [1], where)
    assert lists.leavers() == []
    assert lists.events(1) == [("left", third, None), ("came_back", back, None)]
    listing = ("votecode", back, 0, None)
    assert lists.rows(
        "SELECT identifier_type, since_run_id, missed_runs, ended_run_id FROM listings l"
        " JOIN employees e ON e.id = l.employee_id WHERE zan_id = '580330001' AND l.institution_id = %s",
        lists.ids[where],
    ) == [listing]


async def test_an_incomplete_run_takes_leaving_back_too(lists: Lists) -> None:
    await lists.leave([1], MANY)
    await lists.run([1, *MANY], missing=4)
    assert lists.leavers() == []


async def test_a_list_that_had_ended_and_goes_on_is_in_the_history(lists: Lists) -> None:
    await lists.run([1], "water")
    await lists.leave([1], MANY)
    await lists.run([1, *MANY])
    assert [kind for kind, *_ in lists.events(1)] == ["transferred", "listed_again"]


async def test_an_employee_who_returned_can_leave_again(lists: Lists) -> None:
    await lists.leave([1], MANY)
    await lists.leave([1], MANY)
    assert [kind for kind, *_ in lists.events(1)] == ["left", "came_back", "left"]
    assert lists.leavers() == [1]


def broken(number: int, **more: Any) -> dict[str, Any]:
    """Return a person's record that cannot be kept."""
    return record(number, birthDate="yesterday", **more)


async def test_a_reject_is_no_absence(lists: Lists) -> None:
    await lists.run([1, *MANY])
    for _ in range(3):
        await lists.run([broken(1), *MANY])
    assert lists.leavers() == []
    assert lists.rows("SELECT sum(missed_runs) FROM listings") == [(0,)]


async def test_records_that_never_had_a_key_hold_back_no_leaver(lists: Lists) -> None:
    keyless = record(3, zanIdNumber="")
    await lists.run([1, keyless, *MANY])
    await lists.run([keyless, *MANY])
    await lists.run([keyless, *MANY])
    assert lists.leavers() == [1]


async def test_rows_of_listed_employees_are_not_written(lists: Lists) -> None:
    await lists.run([1, *MANY])
    before = lists.rows("SELECT employee_id, ctid, xmin FROM listings WHERE employee_id > 1 ORDER BY 1")
    people = lists.rows("SELECT id, ctid, xmin FROM employees WHERE id > 1 ORDER BY 1")
    await lists.run(MANY)
    await lists.run(MANY)
    assert lists.leavers() == [1]
    assert (
        lists.rows("SELECT employee_id, ctid, xmin FROM listings WHERE employee_id > 1 ORDER BY 1") == before
    )
    assert lists.rows("SELECT id, ctid, xmin FROM employees WHERE id > 1 ORDER BY 1") == people


async def test_a_run_with_fewer_records_than_counted_derives_no_leavers(lists: Lists) -> None:
    await lists.run([1, *MANY])
    execute_as_owner(
        lists.conn,
        "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN UPDATE run_pages SET people = '{}' WHERE run_id = NEW.id; RETURN NEW; END $$;"
        "CREATE TRIGGER lose AFTER UPDATE OF outcome ON runs FOR EACH ROW EXECUTE FUNCTION lose()",
    )
    await lists.run(MANY)
    assert lists.rows("SELECT sum(missed_runs) FROM listings") == [(0,)]
