"""What a name at which people work means: mapped, registered, taken back; who moves, and what is recorded."""

from typing import Any

import psycopg
import pytest

from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, InvalidInput, NotFound, Unprocessable
from hrims.institutions import importer
from hrims.institutions.workplaces import actions
from hrims.institutions.workplaces.actions import map_workplace, register_workplace, unmap
from hrims.jobs.attempts.store import Attempt
from tests.database.runs import begin, enqueue_run_of, institution, rows
from tests.database.test_save_page import save
from tests.support.databases import execute_as_owner
from tests.support.people import record
from tests.support.users import ASHA, OMAR

HOSPITAL = "Hospitali Kuu ya Pwani"

HEALTH = 1
"""The ministry of health, the first on the register."""

INSTITUTIONS = "SELECT institution, count(*) FROM employees_v GROUP BY 1 ORDER BY 1"

HISTORY = "SELECT made_by, run_id, changes, count(*) FROM employee_changes GROUP BY 1, 2, 3 ORDER BY min(id)"


@pytest.fixture
async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return a run of the ministry of health that lists three people of a hospital, and one of its own."""
    return await begin_with_hospital(conn, pool, record(3))


async def begin_with_hospital(conn: Connection, pool: AsyncPool, *others: dict[str, Any]) -> Attempt:
    """Begin a run of the ministry of health and save three people of a hospital, and others."""
    attempt = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    people = [record(n, workplace=HOSPITAL) for n in range(3)]
    await save(attempt, pool, [*people, *others])
    return attempt


UNMAPPED = {"institution": None, "mapped_by": None}

MAPPED = {"institution": HEALTH, "mapped_by": "asha"}


def workplace(conn: Connection, name: str = HOSPITAL) -> int:
    """Return the id of the workplace of this name."""
    [(id_,)] = conn.execute("SELECT id FROM workplaces WHERE name_key = name_key(%s)", (name,)).fetchall()
    return int(id_)


def audits(conn: Connection) -> list[Any]:
    """Return what the audit record says of workplaces."""
    those = "action LIKE 'workplace.%' ORDER BY id"
    return rows(
        conn, f"SELECT actor, via, action, subject, before, after, details FROM audit_log WHERE {those}"
    )


async def test_mapping_moves_its_people_at_once(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    id_ = workplace(conn)
    done = map_workplace(conn, ASHA, id_, HEALTH)
    assert (done.moved, done.workplace.institution, done.workplace.mapped_by) == (3, "WIZARA YA AFYA", "asha")
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 4)]
    assert rows(conn, HISTORY) == [("asha", None, {"institution": [None, "WIZARA YA AFYA"]}, 3)]
    details = {"workplace": HOSPITAL, "moved": 3}
    record_ = ("asha", "page", "workplace.map", f"workplace:{id_}", UNMAPPED, MAPPED, details)
    assert audits(conn) == [record_]
    [(by, at)] = rows(conn, "SELECT mapped_by, mapped_at > now() - interval '1 minute' FROM workplaces_v"
                            " WHERE matched_by = 'alias'")  # fmt: skip
    assert (by, at) == ("asha", True)


async def test_a_page_that_comes_later_knows_the_mapping_in_any_spelling(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    map_workplace(conn, ASHA, workplace(conn), HEALTH)
    again = [record(n, workplace=HOSPITAL.upper() + " .") for n in range(3, 6)]
    await save(attempt, pool, again, number=1)
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 6)]
    unchanged = [record(n, workplace=HOSPITAL) for n in range(3)]
    before = rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id")
    await save(attempt, pool, unchanged, number=2)
    assert rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id") == before


async def test_taking_back_moves_them_back(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    id_ = workplace(conn)
    map_workplace(conn, ASHA, id_, HEALTH)
    done = unmap(conn, OMAR, id_, institution_id=HEALTH)
    assert (done.moved, done.workplace.institution, done.workplace.mapped_by) == (3, None, None)
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 1), (None, 3)]
    assert rows(conn, HISTORY)[1] == ("omar", None, {"institution": ["WIZARA YA AFYA", None]}, 3)
    details = {"workplace": HOSPITAL, "moved": 3}
    assert audits(conn)[1][2:] == ("workplace.unmap", f"workplace:{id_}", MAPPED, UNMAPPED, details)


async def test_registering_it_by_its_own_name_lets_the_register_match_it(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    id_ = workplace(conn)
    done = register_workplace(conn, ASHA, id_, vote_code=" 050 ", tin="123456789")
    assert (done.moved, done.workplace.institution, done.workplace.matched_by) == (3, HOSPITAL, "name")
    assert rows(conn, "SELECT name, vote_code, tin FROM institutions ORDER BY id DESC LIMIT 1") == [
        (HOSPITAL, "050", "123456789")
    ]
    assert rows(conn, HISTORY) == [("asha", None, {"institution": [None, HOSPITAL]}, 3)]
    assert audits(conn)[0][2] == "workplace.register"
    assert audits(conn)[0][-1]["moved"] == 3


async def test_registering_another_name_moves_employees_of_that_name_too(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(n, workplace="Hospitali Kuu") for n in (7, 8)], number=1)
    done = register_workplace(conn, ASHA, workplace(conn), name="HOSPITALI KUU")
    assert (done.moved, done.workplace.matched_by) == (3, "alias")
    assert rows(conn, INSTITUTIONS) == [("HOSPITALI KUU", 5), ("WIZARA YA AFYA", 1)]
    assert rows(conn, HISTORY) == [("asha", None, {"institution": [None, "HOSPITALI KUU"]}, 5)]


async def test_an_import_writes_history_with_its_actor(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    importer.import_rows(conn, OMAR, [(HOSPITAL.upper(), None, None)])
    assert rows(conn, HISTORY) == [("omar", None, {"institution": [None, HOSPITAL.upper()]}, 3)]


async def test_a_change_by_hand_is_the_registers(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    map_workplace(conn, ASHA, workplace(conn), HEALTH)
    unmap(conn, ASHA, workplace(conn))
    conn.execute("INSERT INTO institutions (name) VALUES (%s)", (HOSPITAL,))
    assert rows(conn, HISTORY)[2] == ("register", None, {"institution": [None, HOSPITAL]}, 3)


class TestAnAlias:
    """What a person said stays said, whatever becomes of the register."""

    async def test_it_is_not_stolen_by_a_new_institution_of_that_name(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        map_workplace(conn, ASHA, workplace(conn), HEALTH)
        importer.import_rows(conn, OMAR, [(HOSPITAL, "050", None)])
        await save(attempt, pool, [record(9, workplace=HOSPITAL)], number=1)
        assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 5)]

    async def test_it_is_not_stolen_by_an_institution_that_takes_that_name(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        map_workplace(conn, ASHA, workplace(conn), HEALTH)
        other = institution(conn, "TUME", "037", "129673100")
        conn.execute("UPDATE institutions SET name = %s WHERE id = %s", (HOSPITAL, other))
        assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 4)]

    async def test_an_undone_mapping_follows_the_current_register(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        map_workplace(conn, ASHA, workplace(conn), HEALTH)
        importer.import_rows(conn, OMAR, [(HOSPITAL, "050", None)])
        done = unmap(conn, ASHA, workplace(conn))
        assert (done.moved, done.workplace.institution, done.workplace.matched_by) == (3, HOSPITAL, "name")

    async def test_it_survives_that_its_institution_is_renamed(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        map_workplace(conn, ASHA, workplace(conn), HEALTH)
        conn.execute("UPDATE institutions SET name = 'WIZARA YA AFYA NA USTAWI'")
        assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA NA USTAWI", 4)]
        assert rows(conn, "SELECT count(*) FROM employee_changes") == [(3,)]

    async def test_a_name_that_the_register_drops_stays_as_one_that_can_be_taken_back(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        conn.execute("UPDATE institutions SET name = 'WIZARA YA AFYA NA USTAWI'")
        sql = "SELECT institution, matched_by, mapped_by FROM workplaces_v WHERE workplace = 'Wizara ya Afya'"
        assert rows(conn, sql) == [("WIZARA YA AFYA NA USTAWI", "alias", "register")]
        assert unmap(conn, ASHA, workplace(conn, "Wizara ya Afya")).moved == 1


class TestRefusals:
    """What cannot be decided changes nothing."""

    async def test_it(self, conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
        await save(attempt, pool, [record(9, workplace=" - ")], number=1)
        id_, own = workplace(conn), HEALTH
        of_health, nameless = workplace(conn, "Wizara ya Afya"), workplace(conn, "-")
        before = rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id")
        refused: list[tuple[Any, type[Exception], str]] = [
            (lambda: map_workplace(conn, ASHA, id_, 4711), NotFound, "no institution with this id"),
            (lambda: map_workplace(conn, ASHA, 4711, own), NotFound, "no workplace with this id"),
            (lambda: map_workplace(conn, ASHA, of_health, own), Conflict, "the register has that name"),
            (lambda: map_workplace(conn, ASHA, nameless, own), Unprocessable, "Without letters"),
            (lambda: register_workplace(conn, ASHA, nameless), Unprocessable, "Without letters"),
            (lambda: register_workplace(conn, ASHA, id_, name="wizara ya afya."), Conflict, "already"),
            (lambda: register_workplace(conn, ASHA, id_, vote_code="001"), Conflict, "this vote code"),
            (lambda: register_workplace(conn, ASHA, id_, vote_code="1"), Conflict, "only in leading zeros"),
            (lambda: register_workplace(conn, ASHA, id_, tin="156255890"), Conflict, "this TIN"),
            (lambda: register_workplace(conn, ASHA, id_, vote_code="O1"), InvalidInput, "1 to 10 digits"),
            (lambda: register_workplace(conn, ASHA, id_, tin="12345678"), InvalidInput, "nine digits"),
            (lambda: register_workplace(conn, ASHA, id_, name="A\x00B"), InvalidInput, "one line"),
            (lambda: register_workplace(conn, ASHA, id_, name="A" * 501), InvalidInput, "at most 500"),
            (lambda: unmap(conn, ASHA, id_), Conflict, "mapped to no institution"),
            (lambda: unmap(conn, ASHA, of_health), Conflict, "the register has that name"),
            (lambda: unmap(conn, ASHA, 4711), NotFound, "no workplace with this id"),
        ]  # fmt: skip
        for action, error, message in refused:
            with pytest.raises(error, match=message):
                action()
        assert rows(conn, "SELECT id, xmin::text FROM employees ORDER BY id") == before
        assert rows(conn, "SELECT count(*) FROM institutions") == [(1,)]
        assert audits(conn) == []

    async def test_an_old_page_does_not_undo_a_new_mapping(
        self, conn: Connection, pool: AsyncPool, attempt: Attempt
    ) -> None:
        id_, other = workplace(conn), institution(conn, "TUME", "037", "129673100")
        map_workplace(conn, ASHA, id_, other)
        with pytest.raises(Conflict, match=r"belongs to TUME already: asha has mapped it"):
            unmap(conn, OMAR, id_, institution_id=HEALTH)

    async def test_a_decision_has_a_lock_timeout(
        self, conn: Connection, dsn: str, attempt: Attempt, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(actions, "LOCK_TIMEOUT", 0.05)
        with psycopg.connect(dsn) as saver:
            saver.execute("SELECT FROM workplaces FOR SHARE")
            with pytest.raises(Conflict, match="being saved just now"):
                map_workplace(conn, ASHA, workplace(conn), HEALTH)
        map_workplace(conn, ASHA, workplace(conn), HEALTH)


INSERT_EMPLOYEE = """
INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id, current_workplace, workplace_id,
    institution_id)
VALUES ('123456789', 'Confirmed', 1, 1, 'x',
"""

OUT_OF_PLACE = [
    INSERT_EMPLOYEE + "%(workplace)s, 1)",
    INSERT_EMPLOYEE + "%(workplace)s + 100, NULL)",
    "UPDATE employees SET institution_id = 1 WHERE workplace_id = %(workplace)s",
    "UPDATE employees SET workplace_id = %(workplace)s + 100 WHERE workplace_id = %(workplace)s",
    "DELETE FROM workplaces WHERE id = %(workplace)s",
]


@pytest.mark.parametrize("statement", OUT_OF_PLACE)
async def test_an_employee_belongs_to_the_institution_of_the_workplace(
    conn: Connection, pool: AsyncPool, attempt: Attempt, statement: str
) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute(statement.encode(), {"workplace": workplace(conn)})
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 1), (None, 3)]


async def test_no_way_leads_past_the_people_of_a_workplace(conn: Connection, attempt: Attempt) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("TRUNCATE workplaces CASCADE")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        execute_as_owner(conn, "TRUNCATE workplaces CASCADE")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        conn.execute("DELETE FROM workplaces")
    conn.execute("SET default_transaction_isolation = 'repeatable read'")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        conn.execute("DELETE FROM workplaces")
    assert rows(conn, "SELECT count(*) FROM employees WHERE workplace_id IS NOT NULL") == [(4,)]
