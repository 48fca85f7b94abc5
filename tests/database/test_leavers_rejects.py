"""A reject is no absence: who may be one of a run's rejects is neither missed nor transferred by it."""

from typing import Any

import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.employees.mapping import map_record
from hrims.previews import store as previews
from hrims.remote.records import PersonalInfo
from hrims.remote.wire import Unreadable
from hrims.runs import store as run_store
from tests.database.lists import Lists
from tests.database.previews import fetch
from tests.support.people import record

MANY = range(100, 130)
"""Others on the list, who stay."""


def keyless(number: int, **more: Any) -> dict[str, Any]:
    """Return the record of a person without a ZanID."""
    return record(number, zanIdNumber="", **more)


def nameless(number: int) -> dict[str, Any]:
    """Return a record that goes by its place in the list."""
    return keyless(number, payrollNumber="")


def misses(lists: Lists) -> list[tuple[str, int]]:
    return lists.rows(
        "SELECT zan_id, missed_runs FROM listings l JOIN employees e ON e.id = l.employee_id"
        " WHERE missed_runs > 0 ORDER BY 1"
    )


@pytest.mark.parametrize("spoil", [keyless, nameless])
async def test_a_list_of_rejects_counts_no_misses(lists: Lists, spoil: Any) -> None:
    await lists.run(MANY)
    await lists.run([1, *MANY], "water")
    for _ in range(3):
        run = await lists.run([spoil(number) for number in MANY])
    assert lists.rows("SELECT outcome, people FROM runs WHERE id = %s", run) == [("complete", 0)]
    assert misses(lists) == []
    assert lists.departures() == []
    assert lists.rows("SELECT count(*) FROM employee_events") == [(0,)]


async def test_as_many_rejects_as_absent_people_transfer_no_employee(lists: Lists) -> None:
    await lists.run([1, *range(200, 210)], "water")
    for people in ([1, 2, *MANY], [keyless(1), keyless(2), *MANY], [keyless(1), keyless(2), *MANY]):
        await lists.run(people)
    assert misses(lists) == []
    assert lists.departures() == []


async def test_more_absent_people_than_rejects_do_not_tell_which_are_absent(lists: Lists) -> None:
    await lists.run([1, 2, 3, *MANY])
    for _ in range(3):
        await lists.run([keyless(2), *MANY])
    assert misses(lists) == []
    await lists.run([2, *MANY])
    await lists.run([2, *MANY])
    assert lists.leavers() == [1, 3]


async def test_a_known_zan_id_explains_that_person_alone(lists: Lists) -> None:
    # The masked ZanIDs of 101, 201 and 301 are one text.
    await lists.run([1, 101, 201, *range(110, 140)])
    for _ in range(2):
        await lists.run([record(101, birthDate="yesterday"), *range(110, 140)])
    assert lists.leavers() == [1, 201]


async def test_a_reject_by_zan_id_ends_a_row_of_misses(lists: Lists) -> None:
    stay = range(110, 140)
    for people in ([1, *stay], stay, [record(1, birthDate="yesterday"), *stay], stay):
        await lists.run(people)
    assert misses(lists) == [("580330001", 1)]
    assert lists.leavers() == []


async def test_a_wrong_zan_id_may_be_anybody(lists: Lists) -> None:
    await lists.run([1, *MANY])
    for _ in range(2):
        await lists.run([record(1, zanIdNumber="58O330001"), *MANY])
    assert misses(lists) == []


async def test_a_record_with_the_zan_id_of_another_person_may_be_anybody(lists: Lists) -> None:
    await lists.run([1, *MANY])
    for _ in range(2):
        await lists.run([*MANY, record(1, zanIdNumber="580330100")])
    assert lists.rows("SELECT code FROM rejects") == [("shared_zan_id",)] * 2
    assert misses(lists) == []


async def test_records_that_stood_beside_a_person_do_not_explain_their_absence(lists: Lists) -> None:
    await lists.run([1, 2, keyless(3), *MANY])
    await lists.run([2, keyless(3), *MANY])
    assert misses(lists) == [("580330001", 1)]
    # One more record that can be anybody: nothing is known of this run, nor lost.
    await lists.run([keyless(3), keyless(2), *MANY])
    assert misses(lists) == [("580330001", 1)]
    await lists.run([2, keyless(3), *MANY])
    assert lists.leavers() == [1]


async def test_a_record_that_lost_its_zan_id_long_ago_is_still_that_person(lists: Lists) -> None:
    await lists.run([1, *MANY])
    for _ in range(4):
        await lists.run([keyless(1), *MANY])
    assert misses(lists) == []


async def test_twice_as_many_equal_records_are_not_the_same(lists: Lists) -> None:
    equal = {"payrollNumber": "5", "middleName": "Mtu"}
    await lists.run([1, keyless(3, **equal), *MANY])
    for _ in range(2):
        await lists.run([keyless(3, **equal), keyless(1, **equal), *MANY])
    assert misses(lists) == []


async def test_the_place_of_a_record_does_not_tell_whose_it_is(lists: Lists) -> None:
    await lists.run([nameless(3), 1, *MANY])
    for _ in range(2):
        await lists.run([nameless(1), *MANY])
    assert misses(lists) == []


async def test_what_waits_goes_on_waiting_while_rejects_may_be_these_people(lists: Lists) -> None:
    few = range(100, 104)
    await lists.leave([1, 2, 3, 4], few)
    assert lists.departures() == [(1, "waiting", 4, 0, 0)]
    await lists.run([1, 2, keyless(3), *few])
    assert lists.leavers() == []
    assert lists.rows("SELECT state, people, why FROM departures ORDER BY id DESC LIMIT 1") == [
        ("waiting", 2, "HRIMS did not give 1 record whole, and they may be among these people.")
    ]
    await lists.run([1, 2, 3, *few])
    assert lists.leavers() == [4]


async def test_a_run_of_rejects_is_no_baseline_for_later_rejects(lists: Lists) -> None:
    await lists.run([1, 2, *MANY])
    await lists.run([keyless(number) for number in (1, 2, *MANY)])
    for _ in range(3):
        await lists.run([keyless(2), *MANY])
    assert misses(lists) == []


async def test_a_preview_counts_absent_people_as_a_run_does(
    conn: Connection, pool: AsyncPool, lists: Lists
) -> None:
    at = lists.ids["health"]
    await fetch(conn, pool, at, [record(1), record(2), *map(record, MANY)], "sync")
    unproven = await fetch(conn, pool, at, [keyless(2), *map(record, MANY)])
    assert previews.list_entries(conn, EVERYTHING, unproven, "missing", 10) == []
    proven = await fetch(conn, pool, at, [record(2), *map(record, MANY)])
    assert [entry["zanId"] for entry in previews.list_entries(conn, EVERYTHING, proven, "missing", 10)] == [
        "580330001"
    ]


@pytest.mark.parametrize("zan_id", ["58A330001", "5803", "58033000100", "", None])
def test_a_zan_id_that_is_none_is_not_shown_for_an_unreadable_record(zan_id: str | None) -> None:
    reject = map_record(Unreadable("text expected", "x", info=PersonalInfo(zan_id_number=zan_id)))
    assert reject[3] is None


async def test_the_run_counts_unproven_absences(conn: Connection, lists: Lists) -> None:
    await lists.run([1, 2, 3, *MANY])
    run = run_store.find_run(conn, EVERYTHING, await lists.run([nameless(1), *MANY]))
    assert run
    assert run.message == (
        f"Complete: all {len(MANY) + 1} that HRIMS lists are accounted for. 2 fewer than in the last complete"
        " run. 3 people were not found and may be among the rejected records; they do not count as missing."
    )
    run = run_store.find_run(conn, EVERYTHING, await lists.run([1, 2, *MANY]))
    assert run
    assert "not found" not in run.message
