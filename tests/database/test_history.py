"""History: every changed field, with run, time and actor; nothing for unchanged employees."""

from hrims.access.scope import EVERYTHING
from hrims.employees.masking import Mask
from hrims.people import store
from tests.database.lists import Lists
from tests.support.people import record
from tests.support.users import JUMA

MANY = range(100, 300)

UNMASKED = Mask(frozenset())

WRITTEN = (
    "employees",
    "employee_changes",
    "employee_events",
    "listings",
    "workplaces",
    "departures",
    "departure_people",
)


async def test_it_works(lists: Lists) -> None:
    first = await lists.run([1, *MANY])
    second = await lists.run([record(1, lastName="Ali", birthDate=None), *MANY], actor=JUMA)
    rows = lists.rows("SELECT zan_id, field, old, new, job_id, requested_by FROM changes_v ORDER BY field")
    assert rows == [
        ("580330001", "date_of_birth", "1990-09-17", None, second, "juma"),
        ("580330001", "name", "Asha Mtu 1 Makame", "Asha Mtu 1 Ali", second, "juma"),
    ]
    ((id_,),) = lists.rows("SELECT id FROM employees WHERE zan_id = '580330001'")
    changed, seen = store.list_history(lists.conn, EVERYTHING, id_, UNMASKED, 10)
    assert (changed.kind, changed.run_id, changed.asked_by) == ("changed", second, "juma")
    assert [tuple(change) for change in changed.changes] == [
        ("Name", "Asha Mtu 1 Makame", "Asha Mtu 1 Ali"),
        ("Date of birth", "1990-09-17", None),
    ]
    assert (seen.kind, seen.run_id, seen.asked_by) == ("first_seen", first, "asha")


async def test_leaving_and_returning_are_in_the_view(lists: Lists) -> None:
    *_, third = await lists.leave([1], MANY)
    back = await lists.run([1, *MANY], actor=JUMA)
    rows = lists.rows("SELECT zan_id, field, old, new, job_id, requested_by FROM changes_v ORDER BY at")
    assert rows == [
        ("580330001", "presence", "WIZARA YA AFYA", "left", third, "asha"),
        ("580330001", "presence", "WIZARA YA AFYA", "came_back", back, "juma"),
    ]


async def test_history_is_bounded_and_newest_first(lists: Lists) -> None:
    await lists.run([1])
    for number in range(5):
        await lists.run([record(1, primaryPhone=f"077000000{number}")])
    ((id_,),) = lists.rows("SELECT id FROM employees")
    newest = store.list_history(lists.conn, EVERYTHING, id_, UNMASKED, 3)
    assert [event.changes[0].new for event in newest] == ["0770000004", "0770000003", "0770000002"]


async def test_unchanged_employees_are_not_written(lists: Lists) -> None:
    """Neither a row nor a new version of one, in any table of people."""
    await lists.leave([1], MANY)
    before = versions(lists)
    await lists.run(MANY)
    assert versions(lists) == before
    await lists.run([record(100, lastName="Ali"), *MANY[1:]])
    assert len(versions(lists) - before) == 2  # the person and their history


def versions(lists: Lists) -> set[tuple[str, str, str]]:
    """Return (table, transaction, position) of every row of those tables."""
    each = (f"SELECT '{name}', xmin::text, ctid::text FROM {name}" for name in WRITTEN)
    return set(lists.rows(" UNION ALL ".join(each)))
