"""Waiting workplaces are listed with their people, and similar institutions suggested."""

import pytest

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.institutions.workplaces import store
from hrims.institutions.workplaces.actions import map_workplace
from hrims.jobs.attempts.store import Attempt
from tests.database.runs import begin, enqueue_run_of, institution
from tests.database.test_save_page import save
from tests.database.test_workplaces import HEALTH, HOSPITAL, begin_with_hospital, workplace
from tests.support.people import record
from tests.support.users import ASHA


@pytest.fixture
async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return a run of the ministry of health that lists three people of a hospital, and one of its own."""
    return await begin_with_hospital(conn, pool, record(3))


class TestFinding:
    """What the page shows."""

    async def test_names_wait_with_their_people_the_most_first(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        await save(attempt, pool, [record(n, workplace="Bodi ya Mikopo") for n in range(10, 15)], number=1)
        await save(attempt, pool, [record(20, workplace=None)], number=2)
        found = store.list_waiting(conn, EVERYTHING, "", limit=10, offset=0)
        assert [(workplace.name, workplace.people) for workplace in found] == [
            ("Bodi ya Mikopo", 5),
            (HOSPITAL, 3),
        ]
        assert [
            workplace_.name
            for workplace_ in store.list_waiting(conn, EVERYTHING, " PWANI kuu", limit=10, offset=0)
        ] == [HOSPITAL]
        assert [
            workplace_.name for workplace_ in store.list_waiting(conn, EVERYTHING, "", limit=1, offset=1)
        ] == [HOSPITAL]
        assert store.count_waiting(conn, EVERYTHING, "") == (2, 8)
        assert store.count_waiting(conn, EVERYTHING, "bodi") == (1, 5)
        assert store.count_without_workplace(conn, EVERYTHING) == 1

    async def test_their_listings_are_shown_and_stay_after_a_move(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        tume = institution(conn, "TUME", "037", "129673100")
        other = await begin(conn, pool, enqueue_run_of(conn, tume, "037"))
        await save(other, pool, [record(n, workplace=HOSPITAL) for n in (1, 2, 10, 11, 12)])
        id_ = workplace(conn)
        messages = [
            (tume, "TUME", "votecode", "037", 5, other.run_id, other.run_id),
            (HEALTH, "WIZARA YA AFYA", "votecode", "001", 3, attempt.run_id, attempt.run_id),
        ]
        assert store.find_listings(conn, EVERYTHING, [id_]) == {id_: messages}
        map_workplace(conn, ASHA, id_, HEALTH)
        assert store.find_listings(conn, EVERYTHING, [id_]) == {id_: messages}

    async def test_likeness_only_suggests(self, conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
        for n, name in enumerate(
            ["TUME YA UCHAGUZI YA ZANZIBAR", "TUME YA MAADILI", "BENKI", "TUME YA UCHAGUZI"]
        ):
            institution(conn, name, f"10{n}", f"10000000{n}")
        await save(attempt, pool, [record(30, workplace="Tume ya Uchaguzi Zanzibar")], number=1)
        id_ = workplace(conn, "Tume ya Uchaguzi Zanzibar")
        assert [
            workplace_.id for workplace_ in store.list_waiting(conn, EVERYTHING, "", limit=9, offset=0)
        ] == [
            workplace(conn),
            id_,
        ]
        [first, second] = store.find_suggestions(conn, EVERYTHING, [id_], limit=3)[id_]
        assert (first.name, second.name) == ("TUME YA UCHAGUZI YA ZANZIBAR", "TUME YA UCHAGUZI")
        assert 1 > first.likeness > second.likeness >= 0.3
        assert store.find_suggestions(conn, EVERYTHING, [id_], limit=1)[id_] == [first]

    async def test_institutions_are_found_by_name_vote_code_or_tin(self, conn: Connection) -> None:
        for n, name in enumerate(["TUME YA UCHAGUZI YA ZANZIBAR", "TUME YA MAADILI", "WIZARA YA UCHAGUZI"]):
            institution(conn, name, f"10{n}", f"10000000{n}")

        def found(find: str, limit: int = 9) -> tuple[list[str], int]:
            some, all_ = store.find_similar_institutions(
                conn, EVERYTHING, find, name="Tume ya Uchaguzi", limit=limit
            )
            return [workplace.name for workplace in some], all_

        assert found("uchag") == (["TUME YA UCHAGUZI YA ZANZIBAR", "WIZARA YA UCHAGUZI"], 2)
        assert found("zanzibar tume") == (["TUME YA UCHAGUZI YA ZANZIBAR"], 1)
        assert found("101") == (["TUME YA MAADILI"], 1)
        assert found(" 100000002 ") == (["WIZARA YA UCHAGUZI"], 1)
        assert found("ya", limit=1) == (["TUME YA UCHAGUZI YA ZANZIBAR"], 3)
        assert found("100%") == ([], 0)
