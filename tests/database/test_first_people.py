"""The first people of a run, as its page, the API and the last event show them."""

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.runs import store
from tests.database.runs import institution
from tests.database.sync_steps import sync_pages
from tests.support.people import page, record


async def test_each_person_is_shown_once_in_the_order_of_the_list(conn: Connection, pool: AsyncPool) -> None:
    listed = [[7, 7, 3], [7, 3, 9], [1, 9, 2]]
    pages = [
        page([record(person) for person in people], total=9, number=number, size=3)
        for number, people in enumerate(listed)
    ]
    run_id = await sync_pages(conn, pool, institution(conn), *pages)
    shown = [person["zanId"] for person in store.list_first_people(conn, EVERYTHING, run_id, 4)]
    assert shown == ["580330007", "580330003", "580330009", "580330001"]
