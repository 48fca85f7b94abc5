"""People with marked values in every field, wherever the product stores employees, for tests of masks."""

from typing import Any, NamedTuple

from hrims.db import Connection
from hrims.employees.fields import CLASSES, COLUMNS, Classification
from hrims.jobs.enqueue_person import enqueue_person
from tests.database import previews
from tests.database.lists import Lists
from tests.support.people import record
from tests.support.users import ASHA
from tests.web.lists import with_lists
from tests.web.objects import Objects, add_objects

SENSITIVE = [
    column
    for column in COLUMNS
    if CLASSES[column] in {Classification.CONFIDENTIAL, Classification.RESTRICTED}
]


class World(NamedTuple):
    """The ids of the objects that show marked people, and the marked values that are stored."""

    objects: Objects
    sensitive: set[str]
    names: set[str]


def marked(number: int, **changes: Any) -> dict[str, Any]:
    """Return the record of a person whose fields are marked by the number."""
    fields = {
        "zssfNumber": f"ZSSF7700{number:03d}",
        "payrollNumber": f"PAYROLL77{number:03d}",
        "birthDate": f"1977-07-{number:02d}T00:00:00",
        "placeOfBirth": f"Mahali pa {number}77",
        "districtName": f"Wilaya ya {number}77",
        "birthCountryName": f"Nchi ya {number}77",
        "primaryPhone": f"07777{number:05d}",
        "street": f"Mtaa wa {number}77",
    }
    made = record(number, **fields | changes)
    made["salaryInformation"] = [{"isCurrent": True, "salaryScaleName": f"Daraja la {number}77"}]
    made["contractDetails"] = [{"isActive": True, "toDate": f"2037-07-{number:02d}T00:00:00"}]
    return made


def add_world(conn: Connection, dsn: str) -> World:
    """Sync, change, lose, preview and reject marked people. Return where they are."""
    objects = add_objects(conn, "MWENYEWE", "801", "811111111")
    ids: dict[str, int] = {}

    async def story(lists: Lists) -> None:
        others = range(100, 120)
        broken = marked(9, birthDate="soon")
        first = [*map(marked, range(1, 6)), broken, *others]
        later = [marked(1, primaryPhone="0666600001"), *map(marked, range(3, 6)), broken, *others]
        ids["run_id"] = ids["job_id"] = await lists.run(first)
        await lists.run(later)
        ids["second_run"] = await lists.run(later)
        now = [marked(1, street="Mtaa mwingine 77"), *map(marked, range(4, 9)), broken, *map(record, others)]
        ids["institution_id"] = lists.ids["health"]
        ids["preview_id"] = await previews.fetch(conn, lists.pool, lists.ids["health"], now)

    with_lists(conn, dsn, story)
    ids["employee_id"] = _number(conn, "SELECT id FROM employees WHERE zan_id = '580330001'")
    ids["departure_id"] = _number(conn, "SELECT max(id) FROM departures")
    ids["person_run"] = enqueue_person(conn, ASHA, "PAYROLL77001").run_id
    arguments = objects.arguments | {name: str(id_) for name, id_ in ids.items()} | {"vote": "001"}
    found = Objects("Mtu", ids["institution_id"], arguments)
    return World(found, _stored(conn, SENSITIVE) | {"PAYROLL77009"}, _stored(conn, ["name"]))


def _number(conn: Connection, query: str) -> int:
    row = conn.execute(query.encode()).fetchone()
    assert row
    return int(row[0])


def _stored(conn: Connection, columns: list[str]) -> set[str]:
    """Return the values of these columns of marked people."""
    values = {
        str(value)
        for table in ("employees", "preview_people")
        for row in conn.execute(
            f"SELECT {', '.join(columns)} FROM {table} WHERE payroll_number LIKE 'PAYROLL%'".encode()
        )
        for value in row
    }
    changed = conn.execute(
        "SELECT v FROM employee_changes c, jsonb_each(c.changes) f, jsonb_array_elements_text(f.value) v"
        " WHERE f.key = ANY(%s)",
        (columns,),
    )
    return values | {value for (value,) in changed} - {None}
