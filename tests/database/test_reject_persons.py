"""Whose record a reject is: kept with it, and deleted when it is no longer needed."""

from typing import Any

import pytest

from hrims.access.scope import EVERYTHING
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.jobs.cleaner import store
from hrims.jobs.cleaner import task as cleaner
from hrims.previews import actions
from hrims.previews import store as previews
from hrims.previews.cleaner import delete_expired_previews
from hrims.remote.wire import Page
from hrims.runs import store as run_store
from hrims.worker import DELETIONS
from tests.database.previews import approve, carry_out, fetch, wanted
from tests.database.runs import institution
from tests.database.sync_steps import begin_new_run, end, save, save_broken, sync_pages
from tests.remote import answers
from tests.support.people import page, record
from tests.support.users import ASHA

SETTINGS = load({})
ASHA_3 = ("Asha Mtu 3 Makame", "963003", "Wizara ya Afya")
NONE = (None, None, None)


def persons(conn: Connection, of: str = "reject_cases") -> list[Any]:
    """Return whose records they are, in the order of the listing."""
    order = "page_size * page_number + position"
    return conn.execute(
        f"SELECT name, payroll_number, workplace FROM {of} ORDER BY {order}".encode()
    ).fetchall()


def listing(*without_id: int, total: int = 5) -> Page:
    """Return a page of five people, these without a ZanID."""
    return page(
        [record(number, **({"zanIdNumber": " "} if number in without_id else {})) for number in range(5)],
        total=total,
        size=5,
    )


async def test_it_works(conn: Connection, pool: AsyncPool) -> None:
    run_id = await sync_pages(conn, pool, institution(conn), listing(3))
    assert persons(conn) == persons(conn, "rejects") == persons(conn, "rejects_v") == [ASHA_3]
    (shown,) = run_store.list_first_rejects(conn, run_id, 5)
    assert (shown["name"], shown["payroll_number"], shown["workplace"]) == ASHA_3


async def test_120_of_a_listing_are_120_people(conn: Connection, pool: AsyncPool) -> None:
    people = [record(number, zanIdNumber=None, workplace="Wizara ya Elimu") for number in range(120)]
    await sync_pages(conn, pool, institution(conn), page(people, total=120, size=200))
    assert persons(conn) == [(f"Asha Mtu {n} Makame", f"963{n:03d}", "Wizara ya Elimu") for n in range(120)]


async def test_a_record_of_a_wrong_type_is_identified(conn: Connection, pool: AsyncPool) -> None:
    broken = answers.person("", firstName=5, payrollNumber="963001", city="ODD")
    odd = answers.person("", payrollNumber="963002", city="ODD") | {"contractDetails": 7}
    body = answers.page(broken, odd).replace(b'"ODD"', b"NaN")
    await sync_pages(conn, pool, institution(conn), answers.read(body, size=5))
    assert persons(conn) == [
        ("5 Makame", "963001", "Wizara ya Afya"),
        ("Asha Makame", "963002", "Wizara ya Afya"),
    ]


async def test_a_record_that_breaks_hrims_is_no_one_that_was_seen(conn: Connection, pool: AsyncPool) -> None:
    attempt = await begin_new_run(conn, pool, institution(conn), 5)
    await save(pool, attempt, listing(total=6))
    await save_broken(pool, attempt, 5, total=6)
    await end(pool, attempt, 6)
    assert persons(conn) == [NONE]


async def test_what_it_says_now_is_what_counts(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    moved = record(3, zanIdNumber="", workplace="Wizara ya Elimu")
    for fetched in (listing(3), page([moved], total=1, size=5)):
        await sync_pages(conn, pool, at, fetched)
    assert persons(conn) == [(*ASHA_3[:2], "Wizara ya Elimu")]


@pytest.mark.parametrize("name", ["x" * 600, "\x00", "\ud800", " " * 600, "=1+1", "'; DROP"])
async def test_whatever_the_record_holds_it_is_kept(conn: Connection, pool: AsyncPool, name: str) -> None:
    nameless = record(3, zanIdNumber="", firstName=name, middleName=name, lastName=name, payrollNumber=name)
    await sync_pages(conn, pool, institution(conn), page([nameless], total=1, size=5))
    ((stored, *_),) = persons(conn)
    assert stored is None or len(stored) <= 500


async def test_a_preview_keeps_it_and_applying_takes_it_over(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    preview = await fetch(conn, pool, at, [record(1), record(3, zanIdNumber="")])
    assert persons(conn) == []
    (row,) = previews.list_entries(conn, EVERYTHING, preview, "rejected", 5)
    assert (row["name"], row["payrollNumber"], row["workplace"]) == ASHA_3
    apply = approve(conn, preview).run_id
    await carry_out(conn, pool, apply)
    assert persons(conn) == [ASHA_3]
    assert persons(conn, f"rejects WHERE run_id = {apply}") == [ASHA_3]
    assert persons(conn, f"rejects WHERE run_id = {preview}") == [NONE]


async def test_a_preview_that_is_given_up_forgets_it(conn: Connection, pool: AsyncPool) -> None:
    at, other = institution(conn), institution(conn, "WIZARA YA ELIMU", "002", "156255891")
    thrown = await fetch(conn, pool, at, [record(3, zanIdNumber="")])
    old = await fetch(conn, pool, other, [record(3, zanIdNumber="")], vote="002")
    actions.discard(conn, ASHA, thrown)
    assert persons(conn, f"rejects WHERE run_id = {thrown}") == [NONE]
    conn.execute("UPDATE runs SET finished_at = now() - interval '99 days' WHERE id = %s", (old,))
    await delete_expired_previews(pool, load({"HRIMS_PREVIEW_DAYS": "30"}))
    assert persons(conn, "rejects") == [NONE, NONE]
    assert wanted(conn, thrown).state == "completed"


async def test_a_closed_case_forgets_it_after_some_time(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    for records in (listing(2, 3), listing(2)):
        await sync_pages(conn, pool, at, records)
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    assert [row[1] for row in persons(conn)] == ["963002", "963003"]
    conn.execute("UPDATE reject_cases SET closed_at = closed_at - interval '91 days'")
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    assert persons(conn) == [("Asha Mtu 2 Makame", "963002", "Wizara ya Afya"), NONE]


async def test_many_closed_cases_go_in_small_batches(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    for records in (listing(0, 1, 2, 3, 4), listing()):
        await sync_pages(conn, pool, at, records)
    conn.execute("UPDATE reject_cases SET closed_at = closed_at - interval '91 days'")
    left = []
    while await cleaner._delete_batch(
        pool, "reject_people", lambda conn: store.erase_reject_people(conn, 2, 90)
    ):
        left.append(len([person for person in persons(conn) if person != NONE]))
    assert left == [3, 1, 0]


def test_the_closed_ones_are_found_by_index(conn: Connection) -> None:
    conn.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
    plan = conn.execute(
        "EXPLAIN SELECT id FROM reject_cases WHERE has_person AND closed_at < now() ORDER BY closed_at"
    ).fetchall()
    assert "reject_cases_closed_with_person" in str(plan)
    assert "Sort" not in str(plan)


async def test_no_log_has_it(conn: Connection, pool: AsyncPool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        run_id = await sync_pages(conn, pool, institution(conn), listing(3))
    assert not any(word in caplog.text for word in ("Makame", "963003"))
    messages = conn.execute("SELECT payload::text FROM webhook_messages").fetchall()
    log = conn.execute("SELECT log::text FROM run_attempts WHERE run_id = %s", (run_id,)).fetchall()
    assert not any(word in str((messages, log)) for word in ("Makame", "963003"))
