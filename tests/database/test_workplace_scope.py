"""A user who is limited to institutions moves no person into them, nor out of them, with a workplace."""

from typing import Any

import psycopg
import pytest

from hrims.access.actor import Actor
from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.errors import NotAllowed
from hrims.institutions.workplaces import actions, store
from tests.database.runs import rows
from tests.support.users import ASHA, actor_of
from tests.web.workplaces import HOSPITAL, institution, institution_of, listed, waiting

AUDITS = "SELECT count(*) FROM audit_log WHERE action LIKE 'workplace.%'"


@pytest.fixture
def health(conn: Connection) -> int:
    """Return the id of the institution of ``limited``."""
    return institution(conn)


@pytest.fixture
def limited(conn: Connection, health: int) -> Actor:
    """Provide an officer of one institution."""
    return actor_of(conn, "neema", "officer", [health])


def list_first(conn: Connection, id_: int, institution_id: int) -> None:
    """List only the first of the people of a workplace."""
    conn.execute(
        "INSERT INTO listings SELECT %s, 'votecode', min(id), 7 FROM employees WHERE workplace_id = %s",
        (institution_id, id_),
    )


def refused(conn: Connection, action: Any, *given: Any, **more: Any) -> None:
    """Assert that an action is refused and says how it is solved."""
    with pytest.raises(NotAllowed, match="Ask a user with all institutions") as raised:
        action(conn, *given, **more)
    assert raised.value.code == "people_outside_institutions"


def test_foreign_people_are_not_moved_into_the_scope(conn: Connection, limited: Actor, health: int) -> None:
    id_ = waiting(conn)
    list_first(conn, id_, health)
    refused(conn, actions.map_workplace, limited, id_, health)
    assert (institution_of(conn, id_), rows(conn, AUDITS)) == ([(None, 3)], [(0,)])
    assert actions.map_workplace(conn, ASHA, id_, health).moved == 3


def test_people_of_the_scope_are_moved_and_back(conn: Connection, limited: Actor, health: int) -> None:
    id_ = waiting(conn)
    listed(conn, id_, health)
    assert actions.map_workplace(conn, limited, id_, health).moved == 3
    assert actions.unmap(conn, limited, id_).moved == 3


def test_people_are_not_moved_out_of_the_scope(conn: Connection, limited: Actor, health: int) -> None:
    id_ = waiting(conn)
    list_first(conn, id_, health)
    actions.map_workplace(conn, ASHA, id_, health)
    refused(conn, actions.unmap, limited, id_)
    assert institution_of(conn, id_) == [("WIZARA YA AFYA", 3)]
    assert rows(conn, AUDITS) == [(1,)]


def test_registering_moves_no_foreign_people_of_either_name(
    conn: Connection, limited: Actor, health: int
) -> None:
    id_, other = waiting(conn), waiting(conn, "Bodi", people=1)
    listed(conn, id_, health)
    refused(conn, actions.register_workplace, limited, id_, name="BODI")
    assert (institution_of(conn, id_), institution_of(conn, other)) == ([(None, 3)], [(None, 1)])
    assert rows(conn, "SELECT count(*) FROM institutions") == [(1,)]


def test_a_person_who_arrives_meanwhile_counts(
    conn: Connection, dsn: str, limited: Actor, health: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = waiting(conn)
    listed(conn, id_, health)
    lock = store.lock_workplace

    def lock_after_a_page(conn: Connection, id_: int, **more: Any) -> None:
        with psycopg.connect(dsn, autocommit=True) as page:
            page.execute(
                "INSERT INTO employees (zan_id, status, current_workplace, workplace_id, first_run_id,"
                " last_changed_run_id) VALUES ('999999999', 'Confirmed', %s, %s, 1, 1)",
                (HOSPITAL, id_),
            )
        lock(conn, id_, **more)

    monkeypatch.setattr(store, "lock_workplace", lock_after_a_page)
    refused(conn, actions.map_workplace, limited, id_, health)
    assert institution_of(conn, id_) == [(None, 4)]


def test_lists_count_the_people_of_the_scope(conn: Connection, limited: Actor, health: int) -> None:
    id_ = waiting(conn)
    list_first(conn, id_, health)
    [(_, _, people, *_)] = store.list_waiting(conn, limited.scope, "", limit=9, offset=0)
    assert (people, store.count_waiting(conn, limited.scope, "")) == (1, (1, 1))
    assert store.count_waiting(conn, EVERYTHING, "") == (1, 3)
    found = store.find_workplace(conn, limited.scope, id_)
    assert found
    assert found.people == 1
