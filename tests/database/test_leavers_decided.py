"""Leavers that wait for approval: approve by a second person, refuse, undo, and races between these."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, NotAllowed, NotFound
from hrims.leavers import actions
from tests.database.lists import Lists
from tests.support.databases import BLOCKED, execute_as_owner
from tests.support.users import ASHA, JUMA

GONE, STAY = range(1, 7), range(100, 130)
"""Six of thirty-six is too large a share."""


async def waiting(lists: Lists) -> int:
    """Return the id of a waiting departure of six people."""
    await lists.leave(GONE, STAY)
    ((id_, state, *_),) = lists.departures()
    assert state == "waiting"
    return int(id_)


def audit(lists: Lists) -> tuple[Any, ...]:
    columns = "actor, action, subject, institution_id, run_id, details"
    return tuple(lists.rows(f"SELECT {columns} FROM audit_log ORDER BY id DESC LIMIT 1")[0])


async def test_too_many_wait_and_everything_else_is_applied(lists: Lists) -> None:
    await lists.run([7, *range(200, 230)], "water")
    await lists.run([*GONE, 7, 8, *STAY])
    await lists.run(STAY)
    last = await lists.run([9, *STAY])
    assert lists.leavers() == []
    assert lists.departures() == [(1, "applied", 1, 0, 1), (2, "waiting", 7, 0, 0)]
    assert lists.rows("SELECT leavers, leavers_waiting, new FROM runs_v WHERE job_id = %s", last) == [
        (0, 7, 1)
    ]
    assert lists.rows("SELECT why, listed, asked_by FROM departures WHERE id = 2") == [
        ("7 people would leave, 18.4 % of the list, which is more than 5 %.", 38, "asha")
    ]


async def test_a_second_person_approves(lists: Lists) -> None:
    id_ = await waiting(lists)
    assert actions.approve(lists.conn, JUMA, id_) == (6, 0)
    assert lists.leavers() == list(GONE)
    assert lists.events(1) == [("left", 3, "juma")]
    assert lists.rows("SELECT leavers, leavers_waiting FROM runs_v WHERE job_id = 3") == [(6, 0)]
    assert lists.departures() == [(id_, "approved", 6, 6, 0)]
    details = {"leavers": 6, "transfers": 0}
    health = lists.ids["health"]
    assert audit(lists) == ("juma", "leavers.approve", f"leavers:{id_}", health, 3, details)


async def test_the_requester_of_the_run_cannot_approve(lists: Lists) -> None:
    id_ = await waiting(lists)
    with pytest.raises(NotAllowed, match="another user must approve"):
        actions.approve(lists.conn, ASHA, id_)
    with pytest.raises(psycopg.errors.CheckViolation, match="was requested by the user who approves it"):
        lists.conn.execute(
            "UPDATE departures SET state = 'approved', decided_by = 'juma', decided_by_id = 1,"
            " decided_at = now()"
        )
    assert lists.leavers() == []
    assert lists.departures()[0][1] == "waiting"


async def test_a_refusal_changes_no_employee_and_restarts_the_count(lists: Lists) -> None:
    id_ = await waiting(lists)
    actions.refuse(lists.conn, ASHA, id_)
    assert audit(lists)[:2] == ("asha", "leavers.refuse")
    await lists.run(STAY)
    assert lists.departures() == [(id_, "refused", 6, 0, 0)]
    assert lists.leavers() == []
    await lists.run(STAY)
    assert [state for _, state, *_ in lists.departures()] == ["refused", "waiting"]


@pytest.mark.parametrize("where", ["health", "water"])
async def test_an_employee_who_returned_before_the_approval_does_not_leave(lists: Lists, where: str) -> None:
    id_ = await waiting(lists)
    if where == "health":
        await lists.run([1, 2, *STAY], missing=1)
        assert actions.approve(lists.conn, JUMA, id_) == (4, 0)
    else:
        await lists.run([1, 2], "water")
        assert actions.approve(lists.conn, JUMA, id_) == (4, 2)
    assert lists.leavers() == [3, 4, 5, 6]


async def test_an_employee_who_returned_and_is_missed_once_does_not_leave(lists: Lists) -> None:
    id_ = await waiting(lists)
    await lists.run([1, *STAY], missing=1)
    lists.conn.execute("UPDATE listings SET missed_runs = 1, missed_since_run_id = 4 WHERE employee_id = 1")
    actions.approve(lists.conn, JUMA, id_)
    assert lists.leavers() == [2, 3, 4, 5, 6]


async def test_a_later_run_supersedes_waiting_departures(lists: Lists) -> None:
    id_ = await waiting(lists)
    await lists.run([1, 2, 3, 4, *STAY])
    assert lists.departures() == [(id_, "superseded", 6, 0, 0), (id_ + 1, "applied", 2, 2, 0)]
    assert lists.leavers() == [5, 6]
    assert lists.rows("SELECT leavers_waiting FROM runs_v WHERE job_id = 3") == [(0,)]
    with pytest.raises(Conflict, match="replaced by a later run"):
        actions.approve(lists.conn, JUMA, id_)


async def test_leavers_of_seven_days_are_added_up(lists: Lists) -> None:
    await lists.leave([1, 2], [3, 4, *STAY])
    assert lists.leavers() == [1, 2]
    await lists.run(STAY)
    await lists.run(STAY)
    assert lists.leavers() == [1, 2]
    assert "within 7 days" in lists.rows("SELECT why FROM departures WHERE state = 'waiting'")[0][0]
    lists.conn.execute("UPDATE departures SET created_at = now() - interval '8 days' WHERE state = 'applied'")
    await lists.run(STAY)
    assert lists.leavers() == [1, 2, 3, 4]


async def test_what_a_person_approved_is_not_added_up(lists: Lists) -> None:
    actions.approve(lists.conn, JUMA, await waiting(lists))
    await lists.run([7, *STAY])
    await lists.run(STAY)
    await lists.run(STAY)
    assert 7 in lists.leavers()


async def test_an_approval_is_undone(lists: Lists) -> None:
    id_ = await waiting(lists)
    actions.approve(lists.conn, JUMA, id_)
    await lists.run([1, *STAY])
    with pytest.raises(Conflict, match="Another user must approve"):
        actions.undo(lists.conn, ASHA, id_)
    assert actions.undo(lists.conn, ASHA, id_, is_approved=True) == 5
    assert lists.leavers() == []
    assert [(kind, actor) for kind, _, actor in lists.events(2)] == [("left", "juma"), ("undone", "asha")]
    assert [kind for kind, *_ in lists.events(1)] == ["left", "came_back"]
    assert lists.rows("SELECT leavers FROM runs_v WHERE job_id = 3") == [(0,)]
    await lists.run(STAY)
    assert lists.leavers() == []
    with pytest.raises(Conflict, match="undone already"):
        actions.undo(lists.conn, ASHA, id_)


async def test_undoing_a_transfer_takes_back_the_leaving_that_came_after(lists: Lists) -> None:
    await lists.run([1, *range(200, 230)], "water")
    await lists.leave([1], STAY)
    await lists.run(range(200, 230), "water")
    await lists.run(range(200, 230), "water")
    assert lists.leavers() == [1]
    actions.undo(lists.conn, JUMA, lists.departures()[0][0])
    assert lists.leavers() == []


async def test_departures_that_cannot_be_decided(lists: Lists) -> None:
    with pytest.raises(NotFound):
        actions.approve(lists.conn, JUMA, 4711)
    id_ = await waiting(lists)
    with pytest.raises(Conflict, match="not approved yet"):
        actions.undo(lists.conn, JUMA, id_)
    actions.refuse(lists.conn, JUMA, id_)
    for action in (actions.approve, actions.refuse, actions.undo):
        with pytest.raises(Conflict, match="refused already"):
            action(lists.conn, JUMA, id_)
    with pytest.raises(psycopg.errors.CheckViolation, match="cannot become"):
        lists.conn.execute("UPDATE departures SET state = 'approved'")


async def test_no_listed_employee_leaves(lists: Lists) -> None:
    await lists.run([1])
    with pytest.raises(psycopg.errors.CheckViolation, match="still listed"):
        lists.conn.execute("UPDATE employees SET left_at = now(), left_run_id = 1")


Deed = Callable[[Connection], Any]


async def at_once(dsn: str, *deeds: Deed) -> list[Any]:
    """Run these actions at the same time, each on its own connection, and return results and exceptions."""

    def one(action: Deed) -> Any:
        with psycopg.connect(dsn, autocommit=True) as conn:
            return action(conn)

    return await asyncio.gather(*(asyncio.to_thread(one, action) for action in deeds), return_exceptions=True)


async def until_waits(lists: Lists, how_many: int) -> None:
    """Wait until this many connections wait for a lock."""
    for _ in range(2000):
        if len(lists.rows(BLOCKED)) == how_many:
            return
        await asyncio.sleep(0.005)
    raise AssertionError("no session waits")


async def test_of_two_approvals_at_once_one_counts(lists: Lists, dsn: str) -> None:
    id_ = await waiting(lists)
    ended = await at_once(dsn, *[lambda conn: actions.approve(conn, JUMA, id_)] * 2)
    assert sorted(type(result).__name__ for result in ended) == ["ApplyResult", "Conflict"]
    assert lists.events(1) == [("left", 3, "juma")]
    assert lists.rows("SELECT leavers FROM runs_v WHERE job_id = 3") == [(6,)]


async def test_approved_and_refused_at_once_is_one_of_them(lists: Lists, dsn: str) -> None:
    id_ = await waiting(lists)
    ended = await at_once(
        dsn, lambda conn: actions.approve(conn, JUMA, id_), lambda conn: actions.refuse(conn, JUMA, id_)
    )
    assert sum(isinstance(result, Conflict) for result in ended) == 1
    state = lists.departures()[0][1]
    assert lists.leavers() == (list(GONE) if state == "approved" else [])


@pytest.mark.parametrize("outcome", ["the same list", "a new list", "a list that had ended"])
async def test_met_again_while_it_is_approved(lists: Lists, dsn: str, outcome: str) -> None:
    """The approval holds its people and waits; the page that meets them waits for it, and takes it back."""
    if outcome == "a list that had ended":
        await lists.run([*GONE, *STAY])
        await lists.leave([1, 2], range(200, 230), "water")
    await lists.leave(GONE, STAY)
    ((id_,),) = lists.rows("SELECT id FROM departures WHERE state = 'waiting'")
    with psycopg.connect(dsn) as other:
        other.execute("SELECT")  # begins a transaction, in which the approval is not over
        actions.approve(other, JUMA, id_)
        people, where = ([1, 2, *STAY], "health") if outcome == "the same list" else ([1, 2], "water")
        run = asyncio.create_task(lists.run(people, where, missing=1))
        await until_waits(lists, 1)
        other.commit()
        await run
    assert lists.leavers() == [3, 4, 5, 6]
    assert [kind for kind, *_ in lists.events(1)][-2:] == ["left", "came_back"]


async def test_two_lists_that_end_at_once_make_a_leaver(lists: Lists) -> None:
    """Each run alone would see the other list still going on, and call it a transfer."""
    await lists.run([1, *range(200, 230)], "water")
    await lists.run([1, *STAY])
    await lists.run(range(200, 230), "water")
    await lists.run(STAY)
    await asyncio.gather(lists.run(range(200, 230), "water"), lists.run(STAY))
    assert lists.leavers() == [1]
    assert sorted(kind for kind, *_ in lists.events(1)) == ["left", "transferred"]


async def test_a_list_that_begins_is_waited_for(lists: Lists, dsn: str) -> None:
    """Another institution's page puts the person on its list, and is not over, while their last one ends."""
    await lists.run([1, *STAY])
    await lists.run(STAY)
    with psycopg.connect(dsn) as page:
        page.execute(
            "INSERT INTO listings SELECT %s, 'votecode', id, 1 FROM employees WHERE zan_id = '580330001'",
            (lists.ids["water"],),
        )
        run = asyncio.create_task(lists.run(STAY))
        await until_waits(lists, 1)
        page.commit()
        await run
    assert lists.leavers() == []
    assert [kind for kind, *_ in lists.events(1)] == ["transferred"]


async def test_met_by_another_list_while_the_last_one_ends(lists: Lists, pool: AsyncPool) -> None:
    """Whichever comes first: a person on a list is no leaver."""
    for number in range(1, 6):
        everybody = [number, *STAY]
        await lists.run(everybody)
        await lists.run(STAY)
        await asyncio.gather(lists.run(STAY), lists.run([number], "water", missing=1))
        assert number not in lists.leavers()
        execute_as_owner(lists.conn, "TRUNCATE departures, departure_people, employee_events CASCADE")
