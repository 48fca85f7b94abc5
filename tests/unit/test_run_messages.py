"""What a run says of how far it is."""

from zoneinfo import ZoneInfo

from hrims.cli.sync import describe_wait
from hrims.web.api.run_bodies import Progress
from tests.unit.test_refetch_messages import NOW, run


def test_pages_are_counted_while_they_are_those_that_were_asked_for() -> None:
    counts = {"kind": "sync", "remote_total": 140, "page_size": 100}
    assert run(**counts, pages=1, fetched=100, saved=100).message == "1 of 2 pages, 100 people saved."


def test_smaller_pages_are_counted_as_parts_of_those_that_were_asked_for() -> None:
    counts = {"remote_total": 140, "page_size": 100, "pages": 29, "fetched": 31, "saved": 30}
    assert run(kind="sync", **counts).message == "1 of 2 pages, 30 people saved."
    message = "1 of 2 pages, 30 people fetched. Nothing is saved as yet."
    assert run(kind="preview", **counts).message == message


def test_after_a_pass_started_again_all_numbers_are_those_of_the_new_pass() -> None:
    counts = {"remote_total": 4000, "page_size": 100, "pages": 6, "saved": 300, "saved_before": 3800}
    again = run(kind="sync", **counts)
    assert (again.message, again.percent) == ("3 of 40 pages, 300 people saved.", 7)
    first = run(kind="sync", **counts | {"pages": 1, "saved": 50, "saved_before": 4000})
    assert (first.message, first.percent) == ("1 of 40 pages, 50 people saved.", 1)


def test_what_a_pass_saved_before_it_started_again_stays_when_the_run_fails() -> None:
    counts = {"remote_total": 4000, "pages": 6, "saved": 300, "saved_before": 3800}
    failed = run(kind="sync", state="failed", trouble="HRIMS is down.", finished_at=NOW, **counts)
    assert failed.message == "Failed: HRIMS is down. The 3,800 people saved so far stay."
    assert failed.partial
    cancelled = run(kind="sync", state="cancelled", finished_at=NOW, **counts | {"saved": 0})
    assert cancelled.message == "Cancelled. The 3,800 people saved until then stay."
    assert Progress.of(cancelled).saved == 3800


COMPLETE = {"kind": "sync", "state": "completed", "outcome": "complete", "remote_total": 1500, "people": 1497}


def test_people_who_are_listed_twice_are_named() -> None:
    message = "Complete: all 1,500 that HRIMS lists are accounted for."
    assert run(**COMPLETE).message == message
    assert run(**COMPLETE, repeated=1).message == f"{message} 1 person is listed twice."
    assert run(**COMPLETE, repeated=3).message == f"{message} 3 people are listed twice."


def test_a_drop_and_a_page_size_are_named() -> None:
    more = {"last_complete_people": 1537, "page_finding": "HRIMS gives at most 50 records a page."}
    assert run(**COMPLETE, **more).message.endswith(
        " 40 fewer than in the last complete run. HRIMS gives at most 50 records a page."
    )


def test_an_incomplete_run_says_how_many_are_missing_and_what_page_size_was_found() -> None:
    why = "HRIMS gave 3 people twice, and may have left out as many."
    incomplete = COMPLETE | {"outcome": "incomplete", "missing": 3, "trouble": why}
    assert run(**incomplete).message == f"Incomplete: 3 of 1,500 are missing. {why} Run it again."
    assert run(**incomplete | {"missing": -3}).message == (
        f"Incomplete: HRIMS sent 3 more records than its total of 1,500. {why} Run it again."
    )
    assert run(**incomplete | {"missing": -1}).message == (
        f"Incomplete: HRIMS sent 1 more record than its total of 1,500. {why} Run it again."
    )
    assert run(**incomplete | {"missing": 0}).message == f"Incomplete: {why} Run it again."
    unnamed = incomplete | {"missing": 0, "trouble": None}
    assert run(**unnamed).message == "Incomplete: some people may be missing. Run it again."


def test_an_incomplete_preview_does_not_say_to_run_it_again() -> None:
    why = "Run it again. is what HRIMS answered."
    preview = COMPLETE | {"kind": "preview", "outcome": "incomplete", "missing": 3, "trouble": why}
    assert run(**preview).message == (
        f"Preview. Incomplete: 3 of 1,500 are missing. {why} Nothing was changed by it."
    )


def test_the_command_prints_why_a_run_waits_as_the_page_does() -> None:
    zone = ZoneInfo("Africa/Dar_es_Salaam")
    waits = {"kind": "sync", "state": "waiting", "starts_at": None, "note": None}
    assert describe_wait(run(**waits, wait_code="workers_busy"), zone) == "Waiting: all workers are busy."
    limited = run(**waits | {"starts_at": NOW}, wait_code="rate_limit", starts_per_minute=5)
    assert describe_wait(limited, zone) == (
        "Waiting: at most 5 runs start per minute. Starts at about 15:00 EAT."
    )
    down = run(**waits, wait_code="breaker_open", not_asked="HRIMS is down.", probe_at=NOW)
    assert describe_wait(down, zone) == (
        "Waiting for HRIMS: circuit breaker open. HRIMS is down. Next probe of HRIMS at 15:00 EAT."
    )
    assert describe_wait(run(**waits, wait_code="queued"), zone) == ""
    assert describe_wait(run(kind="sync", note="Reading again."), zone) == "Reading again."
