"""What a name at which people work means: mapped, registered, taken back; who moves, and what is recorded."""

from typing import Any

import psycopg
import pytest

from hrims.access.audit import Actor
from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound
from hrims.jobs.attempts.store import Attempt
from hrims.register import table
from hrims.workplaces import decide, store
from tests.database.runs import ASHA, ask_for, begin, institution
from tests.database.test_save_page import rows, save
from tests.people import record

OMAR = Actor("omar", "api", "127.0.0.1")

HOSPITAL = "Hospitali Kuu ya Pwani"

HEALTH = 1
"""The ministry of health, the first on the register."""

INSTITUTIONS = "SELECT institution, count(*) FROM employees_v GROUP BY 1 ORDER BY 1"

HISTORY = "SELECT made_by, run_id, changes, count(*) FROM employee_changes GROUP BY 1, 2, 3 ORDER BY min(id)"


@pytest.fixture
async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    """A run of the ministry of health that lists three people of a hospital, and one of its own."""
    attempt = await begin(conn, pool, ask_for(conn, institution(conn)))
    people = [record(n, workplace=HOSPITAL) for n in range(3)]
    await save(attempt, pool, [*people, record(3)])
    return attempt


def workplace(conn: Connection, name: str = HOSPITAL) -> int:
    """The id of the workplace of this name."""
    [(id_,)] = conn.execute("SELECT id FROM workplaces WHERE name_key = name_key(%s)", (name,)).fetchall()
    return int(id_)


def audits(conn: Connection) -> list[Any]:
    """What the audit record says of workplaces."""
    those = "action LIKE 'workplace.%' ORDER BY id"
    return rows(conn, f"SELECT actor, via, action, subject, details FROM audit_log WHERE {those}")


async def test_mapping_moves_its_people_at_once(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    id_ = workplace(conn)
    done = decide.map_to(conn, ASHA, id_, HEALTH)
    assert (done.moved, done.workplace.institution, done.workplace.mapped_by) == (3, "WIZARA YA AFYA", "asha")
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 4)]
    assert rows(conn, HISTORY) == [("asha", None, {"institution": [None, "WIZARA YA AFYA"]}, 3)]
    details = {"workplace": HOSPITAL, "moved": 3, "institution": HEALTH}
    assert audits(conn) == [("asha", "page", "workplace.map", f"workplace:{id_}", details)]
    [(by, at)] = rows(conn, "SELECT mapped_by, mapped_at > now() - interval '1 minute' FROM workplaces_v"
                            " WHERE matched_by = 'alias'")  # fmt: skip
    assert (by, at) == ("asha", True)


async def test_a_page_that_comes_later_knows_the_mapping_in_any_spelling(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    decide.map_to(conn, ASHA, workplace(conn), HEALTH)
    again = [record(n, workplace=HOSPITAL.upper() + " .") for n in range(3, 6)]
    await save(attempt, pool, again, number=1)
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 6)]
    unchanged = [record(n, workplace=HOSPITAL) for n in range(3)]
    before = rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id")
    await save(attempt, pool, unchanged, number=2)
    assert rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id") == before


async def test_taking_back_moves_them_back(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    id_ = workplace(conn)
    decide.map_to(conn, ASHA, id_, HEALTH)
    done = decide.take_back(conn, OMAR, id_, institution_id=HEALTH)
    assert (done.moved, done.workplace.institution, done.workplace.mapped_by) == (3, None, None)
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 1), (None, 3)]
    assert rows(conn, HISTORY)[1] == ("omar", None, {"institution": ["WIZARA YA AFYA", None]}, 3)
    was = {"institution": HEALTH, "mapped_by": "asha"}
    assert audits(conn)[1][2:] == (
        "workplace.unmap",
        f"workplace:{id_}",
        {"workplace": HOSPITAL, "moved": 3, **was},
    )


async def test_registering_it_by_its_own_name_lets_the_register_match_it(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    id_ = workplace(conn)
    done = decide.register_as(conn, ASHA, id_, vote_code=" 050 ", tin="123456789")
    assert (done.moved, done.workplace.institution, done.workplace.matched_by) == (3, HOSPITAL, "name")
    assert rows(conn, "SELECT name, vote_code, tin FROM institutions ORDER BY id DESC LIMIT 1") == [
        (HOSPITAL, "050", "123456789")
    ]
    assert rows(conn, HISTORY) == [("asha", None, {"institution": [None, HOSPITAL]}, 3)]
    assert audits(conn)[0][2] == "workplace.register"
    assert audits(conn)[0][4]["moved"] == 3


async def test_registering_it_by_another_name_takes_whoever_waits_for_that_name_too(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(n, workplace="Hospitali Kuu") for n in (7, 8)], number=1)
    done = decide.register_as(conn, ASHA, workplace(conn), name="HOSPITALI KUU")
    assert (done.moved, done.workplace.matched_by) == (3, "alias")
    assert rows(conn, INSTITUTIONS) == [("HOSPITALI KUU", 5), ("WIZARA YA AFYA", 1)]
    assert rows(conn, HISTORY) == [("asha", None, {"institution": [None, "HOSPITALI KUU"]}, 5)]


async def test_an_import_writes_history_with_whoever_imported(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    table.import_rows(conn, OMAR, [(HOSPITAL.upper(), None, None)])
    assert rows(conn, HISTORY) == [("omar", None, {"institution": [None, HOSPITAL.upper()]}, 3)]


async def test_a_change_by_hand_is_the_registers(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    decide.map_to(conn, ASHA, workplace(conn), HEALTH)
    decide.take_back(conn, ASHA, workplace(conn))
    conn.execute("INSERT INTO institutions (name) VALUES (%s)", (HOSPITAL,))
    assert rows(conn, HISTORY)[2] == ("register", None, {"institution": [None, HOSPITAL]}, 3)


class TestAnAlias:
    """What a person said stays said, whatever becomes of the register."""

    async def test_it_is_not_stolen_by_a_new_institution_of_that_name(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        decide.map_to(conn, ASHA, workplace(conn), HEALTH)
        table.import_rows(conn, OMAR, [(HOSPITAL, "050", None)])
        await save(attempt, pool, [record(9, workplace=HOSPITAL)], number=1)
        assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 5)]

    async def test_it_is_not_stolen_by_an_institution_that_takes_that_name(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        decide.map_to(conn, ASHA, workplace(conn), HEALTH)
        other = institution(conn, "TUME", "037", "129673100")
        conn.execute("UPDATE institutions SET name = %s WHERE id = %s", (HOSPITAL, other))
        assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 4)]

    async def test_taken_back_it_is_what_the_register_says_by_now(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        decide.map_to(conn, ASHA, workplace(conn), HEALTH)
        table.import_rows(conn, OMAR, [(HOSPITAL, "050", None)])
        done = decide.take_back(conn, ASHA, workplace(conn))
        assert (done.moved, done.workplace.institution, done.workplace.matched_by) == (3, HOSPITAL, "name")

    async def test_it_survives_that_its_institution_is_renamed(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        decide.map_to(conn, ASHA, workplace(conn), HEALTH)
        conn.execute("UPDATE institutions SET name = 'WIZARA YA AFYA NA USTAWI'")
        assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA NA USTAWI", 4)]
        assert rows(conn, "SELECT count(*) FROM employee_changes") == [(3,)]

    async def test_a_name_that_the_register_drops_stays_as_one_that_can_be_taken_back(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        conn.execute("UPDATE institutions SET name = 'WIZARA YA AFYA NA USTAWI'")
        sql = "SELECT institution, matched_by, mapped_by FROM workplaces_v WHERE workplace = 'Wizara ya Afya'"
        assert rows(conn, sql) == [("WIZARA YA AFYA NA USTAWI", "alias", "register")]
        assert decide.take_back(conn, ASHA, workplace(conn, "Wizara ya Afya")).moved == 1


class TestRefusals:
    """What cannot be decided changes nothing."""

    async def test_it(self, conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
        await save(attempt, pool, [record(9, workplace=" - ")], number=1)
        id_, mine = workplace(conn), HEALTH
        of_health, nameless = workplace(conn, "Wizara ya Afya"), workplace(conn, "-")
        before = rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id")
        refused: list[tuple[Any, type[Exception], str]] = [
            (lambda: decide.map_to(conn, ASHA, id_, 4711), NotFound, "no institution with this id"),
            (lambda: decide.map_to(conn, ASHA, 4711, mine), NotFound, "no workplace with this id"),
            (lambda: decide.map_to(conn, ASHA, of_health, mine), Conflict, "the register has that name"),
            (lambda: decide.map_to(conn, ASHA, nameless, mine), NotAcceptable, "Without letters"),
            (lambda: decide.register_as(conn, ASHA, nameless), NotAcceptable, "Without letters"),
            (lambda: decide.register_as(conn, ASHA, id_, name="wizara ya afya."), Conflict, "already"),
            (lambda: decide.register_as(conn, ASHA, id_, vote_code="001"), Conflict, "this vote code"),
            (lambda: decide.register_as(conn, ASHA, id_, vote_code="1"), Conflict, "only in leading zeros"),
            (lambda: decide.register_as(conn, ASHA, id_, tin="156255890"), Conflict, "this TIN"),
            (lambda: decide.register_as(conn, ASHA, id_, vote_code="O1"), InvalidInput, "1 to 10 digits"),
            (lambda: decide.register_as(conn, ASHA, id_, tin="12345678"), InvalidInput, "nine digits"),
            (lambda: decide.register_as(conn, ASHA, id_, name="A\x00B"), InvalidInput, "one line"),
            (lambda: decide.register_as(conn, ASHA, id_, name="A" * 501), InvalidInput, "at most 500"),
            (lambda: decide.take_back(conn, ASHA, id_), Conflict, "mapped to no institution"),
            (lambda: decide.take_back(conn, ASHA, of_health), Conflict, "the register has that name"),
            (lambda: decide.take_back(conn, ASHA, 4711), NotFound, "no workplace with this id"),
        ]  # fmt: skip
        for deed, error, words in refused:
            with pytest.raises(error, match=words):
                deed()
        assert rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id") == before
        assert rows(conn, "SELECT count(*) FROM institutions") == [(1,)]
        assert audits(conn) == []

    async def test_what_was_mapped_anew_is_not_taken_back_by_an_old_page(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        id_, other = workplace(conn), institution(conn, "TUME", "037", "129673100")
        decide.map_to(conn, ASHA, id_, other)
        with pytest.raises(Conflict, match=r"belongs to TUME already: asha has mapped it"):
            decide.take_back(conn, OMAR, id_, institution_id=HEALTH)

    async def test_a_decision_does_not_wait_for_ever(
        self, conn: Connection, dsn: str, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(decide, "PATIENCE", 0.05)
        with psycopg.connect(dsn) as saver:
            saver.execute("SELECT FROM workplaces FOR SHARE")
            with pytest.raises(Conflict, match="being saved just now"):
                decide.map_to(conn, ASHA, workplace(conn), HEALTH)
        decide.map_to(conn, ASHA, workplace(conn), HEALTH)


class TestFinding:
    """What the page shows."""

    async def test_names_wait_with_their_people_the_most_first(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        await save(attempt, pool, [record(n, workplace="Bodi ya Mikopo") for n in range(10, 15)], number=1)
        await save(attempt, pool, [record(20, workplace=None)], number=2)
        found = store.waiting(conn, "", limit=10, offset=0)
        assert [(one.name, one.people) for one in found] == [("Bodi ya Mikopo", 5), (HOSPITAL, 3)]
        assert [one.name for one in store.waiting(conn, " PWANI kuu", limit=10, offset=0)] == [HOSPITAL]
        assert [one.name for one in store.waiting(conn, "", limit=1, offset=1)] == [HOSPITAL]
        assert store.count_waiting(conn, "") == (2, 8)
        assert store.count_waiting(conn, "bodi") == (1, 5)
        assert store.nowhere(conn) == 1

    async def test_whose_listings_they_are_on_is_told_and_stays_when_they_move(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        tume = institution(conn, "TUME", "037", "129673100")
        other = await begin(conn, pool, ask_for(conn, tume, "037"))
        await save(other, pool, [record(n, workplace=HOSPITAL) for n in (1, 2, 10, 11, 12)])
        id_ = workplace(conn)
        told = [
            (tume, "TUME", "votecode", "037", 5, other.run_id, other.run_id),
            (HEALTH, "WIZARA YA AFYA", "votecode", "001", 3, attempt.run_id, attempt.run_id),
        ]
        assert store.listed_by(conn, [id_]) == {id_: told}
        decide.map_to(conn, ASHA, id_, HEALTH)
        assert store.listed_by(conn, [id_]) == {id_: told}

    async def test_likeness_only_suggests(self, conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
        for n, name in enumerate(
            ["TUME YA UCHAGUZI YA ZANZIBAR", "TUME YA MAADILI", "BENKI", "TUME YA UCHAGUZI"]
        ):
            institution(conn, name, f"10{n}", f"10000000{n}")
        await save(attempt, pool, [record(30, workplace="Tume ya Uchaguzi Zanzibar")], number=1)
        id_ = workplace(conn, "Tume ya Uchaguzi Zanzibar")
        assert [one.id for one in store.waiting(conn, "", limit=9, offset=0)] == [workplace(conn), id_]
        [first, second] = store.suggestions(conn, [id_], most=3)[id_]
        assert (first.name, second.name) == ("TUME YA UCHAGUZI YA ZANZIBAR", "TUME YA UCHAGUZI")
        assert 1 > first.likeness > second.likeness >= 0.3
        assert store.suggestions(conn, [id_], most=1)[id_] == [first]

    async def test_institutions_are_found_by_words_vote_code_or_tin(self, conn: Connection) -> None:
        for n, name in enumerate(["TUME YA UCHAGUZI YA ZANZIBAR", "TUME YA MAADILI", "WIZARA YA UCHAGUZI"]):
            institution(conn, name, f"10{n}", f"10000000{n}")

        def found(find: str, most: int = 9) -> tuple[list[str], int]:
            some, all_ = store.institutions_like(conn, find, name="Tume ya Uchaguzi", most=most)
            return [one.name for one in some], all_

        assert found("uchag") == (["TUME YA UCHAGUZI YA ZANZIBAR", "WIZARA YA UCHAGUZI"], 2)
        assert found("zanzibar tume") == (["TUME YA UCHAGUZI YA ZANZIBAR"], 1)
        assert found("101") == (["TUME YA MAADILI"], 1)
        assert found(" 100000002 ") == (["WIZARA YA UCHAGUZI"], 1)
        assert found("ya", most=1) == (["TUME YA UCHAGUZI YA ZANZIBAR"], 3)
        assert found("100%") == ([], 0)


SOMEBODY = """
INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id, current_workplace, workplace_id,
    institution_id)
VALUES ('123456789', 'Confirmed', 1, 1, 'x',
"""

OUT_OF_PLACE = [
    SOMEBODY + "%(workplace)s, 1)",
    SOMEBODY + "%(workplace)s + 100, NULL)",
    "UPDATE employees SET institution_id = 1 WHERE workplace_id = %(workplace)s",
    "UPDATE employees SET workplace_id = %(workplace)s + 100 WHERE workplace_id = %(workplace)s",
    "DELETE FROM workplaces WHERE id = %(workplace)s",
]


@pytest.mark.parametrize("statement", OUT_OF_PLACE)
async def test_nobody_stands_elsewhere_than_their_workplace(
    conn: Connection, pool: AsyncPool, attempt: Attempt, statement: str
) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute(statement.encode(), {"workplace": workplace(conn)})
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 1), (None, 3)]


async def test_no_way_leads_past_the_people_of_a_workplace(conn: Connection, attempt: Attempt) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("TRUNCATE workplaces CASCADE")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("DELETE FROM workplaces")
    conn.execute("SET default_transaction_isolation = 'repeatable read'")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        conn.execute("DELETE FROM workplaces")
    assert rows(conn, "SELECT count(*) FROM employees WHERE workplace_id IS NOT NULL") == [(4,)]
