"""Invariants of leavers under any order of lists, runs and decisions.

No employee on a list's last complete run is a leaver, and none becomes one after too few misses. Departures
that wait or were refused change no employee.
"""

import asyncio
from collections.abc import Set as AbstractSet

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from psycopg_pool import AsyncConnectionPool

from hrims.leavers import actions
from tests.database.lists import Lists
from tests.support.databases import clone
from tests.support.people import record
from tests.support.users import ASHA, JUMA

PEOPLE = st.integers(1, 8)
WHERE = st.sampled_from(["health", "water"])
BY = st.sampled_from(["votecode", "tin"])
SPOIL = st.sampled_from(
    [{"birthDate": "soon"}, {"zanIdNumber": ""}, {"zanIdNumber": "", "payrollNumber": ""}]
)
"""What makes a record a reject: by its ZanID, by name and payroll number, or by its place alone."""
AFTER = 2

List = tuple[str, str]


class LeaversMachine(RuleBasedStateMachine):
    """HRIMS' lists in memory, and what our side made of them."""

    server: tuple[str, str]

    def __init__(self) -> None:
        super().__init__()
        self._clone = clone(*self.server)
        dsn = self._clone.__enter__()
        self.loop = asyncio.new_event_loop()
        self.pool = AsyncConnectionPool(dsn, min_size=1, max_size=3, open=False)
        self.loop.run_until_complete(self.pool.open())
        self.conn = psycopg.connect(dsn, autocommit=True)
        self.lists = Lists(self.conn, self.pool)
        self.remote: dict[List, set[int]] = {
            (where, by): set(range(1, 6)) if where == "health" else {6, 7}
            for where in ("health", "water")
            for by in ("votecode", "tin")
        }
        self.last: dict[List, set[int]] = {}
        self.misses: dict[tuple[List, int], int] = {}

    def teardown(self) -> None:
        self.conn.close()
        self.loop.run_until_complete(self.pool.close())
        self.loop.close()
        self._clone.__exit__(None, None, None)

    # what HRIMS does

    @rule(number=PEOPLE, where=WHERE, by=BY)
    def add(self, number: int, where: str, by: str) -> None:
        self.remote[where, by].add(number)

    @rule(number=PEOPLE)
    def remove_everywhere(self, number: int) -> None:
        for people in self.remote.values():
            people.discard(number)

    @rule(number=PEOPLE, where=WHERE)
    def move(self, number: int, where: str) -> None:
        self.remove_everywhere(number)
        self.remote[where, "votecode"].add(number)

    # what runs do

    @rule(where=WHERE, by=BY, twice=st.booleans())
    def read(self, where: str, by: str, twice: bool) -> None:
        for _ in range(1 + twice):
            self._run(where, by, complete=True)

    @rule(where=WHERE, by=BY)
    def read_in_part(self, where: str, by: str) -> None:
        self._run(where, by, complete=False)

    @rule(where=WHERE, by=BY, spoiled=st.dictionaries(PEOPLE, SPOIL, max_size=3))
    def read_with_rejects(self, where: str, by: str, spoiled: dict[int, dict[str, str]]) -> None:
        there = self.remote[where, by]
        spoiled = {number: how for number, how in spoiled.items() if number in there}
        records = [
            record(number, **spoiled[number]) if number in spoiled else number for number in sorted(there)
        ]
        actor = ASHA if where == "health" else JUMA
        self.loop.run_until_complete(self.lists.run(records, where, by=by, actor=actor))
        known = {number for number, how in spoiled.items() if "birthDate" in how}
        self._count_complete(where, by, met=there - spoiled.keys(), there=there, known=known)

    def _run(self, where: str, by: str, *, complete: bool) -> None:
        there = self.remote[where, by]
        met = there if complete else {number for number in there if number % 2}
        missing = 0 if complete else 1 + len(there) - len(met)
        actor = ASHA if where == "health" else JUMA
        self.loop.run_until_complete(self.lists.run(sorted(met), where, by=by, actor=actor, missing=missing))
        if complete:
            self._count_complete(where, by, met=met, there=there)
        else:
            self.misses |= {((where, by), number): 0 for number in met}

    def _count_complete(
        self, where: str, by: str, *, met: set[int], there: set[int], known: AbstractSet[int] = frozenset()
    ) -> None:
        """Note what a complete run proves. Of those ``there``, the rejects by their ZanID are ``known``."""
        list_ = (where, by)
        self.last[list_] = met | (there & self.last.get(list_, set()))
        self.misses |= {(list_, number): 0 for number in met}
        for person, number in self.misses:
            if person == list_ and number in known:
                self.misses[person, number] = 0
            elif person == list_ and number not in there:
                self.misses[person, number] += 1

    # what people do

    def _some(self, *states: str) -> list[int]:
        return [id_ for id_, state, *_ in self.lists.departures() if state in states]

    @precondition(lambda self: self._some("waiting"))
    @rule(data=st.data())
    def approve(self, data: st.DataObject) -> None:
        id_ = data.draw(st.sampled_from(self._some("waiting")))
        ((asked_by,),) = self.lists.rows("SELECT asked_by FROM departures WHERE id = %s", id_)
        actions.approve(self.conn, JUMA if asked_by == "asha" else ASHA, id_)

    @precondition(lambda self: self._some("waiting"))
    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        before = self.lists.leavers()
        actions.refuse(self.conn, JUMA, data.draw(st.sampled_from(self._some("waiting"))))
        assert self.lists.leavers() == before

    @precondition(lambda self: self._some("applied", "approved"))
    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        before = self.lists.leavers()
        id_ = data.draw(st.sampled_from(self._some("applied", "approved")))
        actions.undo(self.conn, JUMA, id_, is_approved=True)
        assert set(self.lists.leavers()) <= set(before)

    # what must always be true

    @invariant()
    def no_listed_employee_left(self) -> None:
        there = set().union(*self.last.values())
        assert not there & set(self.lists.leavers())

    @invariant()
    def no_employee_left_too_early(self) -> None:
        for number in self.lists.leavers():
            listed = [count for (_, listed_number), count in self.misses.items() if listed_number == number]
            assert listed
            assert min(listed) >= AFTER

    @invariant()
    def misses_do_not_exceed_absences(self) -> None:
        for where, by, zan_id, missed in self.lists.rows(
            "SELECT i.vote_code, l.identifier_type, e.zan_id, l.missed_runs FROM listings l"
            " JOIN employees e ON e.id = l.employee_id JOIN institutions i ON i.id = l.institution_id"
            " WHERE l.missed_runs > 0 AND l.ended_at IS NULL"
        ):
            list_ = ("health" if where == "001" else "water", by)
            assert missed <= self.misses[list_, int(zan_id[5:])]

    @invariant()
    def leavers_are_on_no_list_and_others_are(self) -> None:
        assert not self.lists.rows(
            "SELECT e.zan_id, e.left_at FROM employees e WHERE (e.left_at IS NOT NULL) <>"
            " NOT EXISTS (SELECT FROM listings l WHERE l.employee_id = e.id AND l.ended_at IS NULL)"
        )

    @invariant()
    def history_has_all_leavers(self) -> None:
        assert not self.lists.rows(
            "SELECT e.zan_id FROM employees e LEFT JOIN LATERAL (SELECT kind FROM employee_events v"
            " WHERE v.employee_id = e.id AND kind IN ('left', 'came_back', 'undone')"
            " ORDER BY id DESC LIMIT 1) v ON true"
            " WHERE (e.left_at IS NOT NULL) <> (coalesce(v.kind, '') = 'left')"
        )

    @invariant()
    def runs_count_their_leavers(self) -> None:
        assert not self.lists.rows(
            "SELECT d.run_id FROM departures d JOIN run_progress g ON g.run_id = d.run_id"
            " GROUP BY d.run_id, g.leavers HAVING g.leavers <>"
            " coalesce(sum(d.leavers) FILTER (WHERE d.state IN ('applied', 'approved')), 0)"
        )


@pytest.fixture
def country(server_dsn: str, template_database: str) -> type[LeaversMachine]:
    LeaversMachine.server = (server_dsn, template_database)
    return LeaversMachine


def _try(country: type[LeaversMachine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        country,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.explicit, Phase.generate, Phase.shrink],
        ),
    )


def test_a_sample(country: type[LeaversMachine]) -> None:
    _try(country, 6, 30)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_many(country: type[LeaversMachine]) -> None:
    _try(country, 60, 60)
