"""An officer fetches an institution, watches people arrive and sees that everybody is there."""

import re

import pytest
from playwright.sync_api import Page, StorageState, expect

from hrims.employees.masking import mask_number
from tests.browser.stage import Stage
from tests.browser.steps import (
    COMPLETE,
    card,
    choose,
    expect_complete,
    expect_percent,
    fetch,
    figure,
    press,
    rows,
    status,
)
from tests.browser.viewers import Viewers


def test_it_works(page: Page, stage: Stage) -> None:
    at_40 = stage.simulator.hold(after=4)
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    expect(figure(page, "People saved")).to_have_text("400")
    expect(figure(page, "Total at HRIMS")).to_have_text("1,000")
    expect(figure(page, "Pages")).to_have_text("4 of 10")
    stage.simulator.wait_for(held=4)  # a page that came later would meet the second hold
    stage.simulator.release(at_40)
    expect_percent(page, 80)
    stage.simulator.release()
    expect_complete(page)
    assert stage.rows("SELECT count(*) FROM employees") == [(1000,)]


def test_the_result_shows_the_first_ten_people_and_the_sum(page: Page, stage: Stage) -> None:
    someone = stage.simulator.people(vote="001")[500]
    stage.simulator.change_person(someone["zan_id"], **{"personalInfo.firstName": 5})
    fetch(page)
    expect_complete(page)
    expect(figure(page, "Total at HRIMS")).to_have_text("1,000")
    expect(figure(page, "People")).to_have_text("999")
    expect(figure(page, "Rejected")).to_have_text("1")
    expect(figure(page, "Missing")).to_have_text("0")
    listed = stage.simulator.people(vote="001")[:10]
    expected = [
        [mask_number(one["zan_id"]), one["name"], one["cadre"] or "—", one["status"]] for one in listed
    ]
    shown = rows(page, "The first people of this run")
    assert [[zan_id, name, cadre, status] for zan_id, name, cadre, _, status in shown] == expected
    expect(page.get_by_role("region", name="Latest runs").get_by_text("complete", exact=True)).to_be_visible()
    assert rows(page, "Latest runs")[0][:3] == ["WIZARA YA AFYA", "complete", "999"]
    stage.simulator.change_person(someone["zan_id"], **{"personalInfo.firstName": "Asha"})


def test_a_run_with_a_missing_person_is_shown_as_incomplete(page: Page, stage: Stage) -> None:
    stage.simulator.fail("wrong_total", total=1003)
    fetch(page)
    expect(status(page)).to_have_text(
        "Incomplete: 3 of 1,003 are missing. HRIMS did not give records 1,001 to 1,003 of its list."
        " Run it again."
    )
    expect(figure(page, "Missing")).to_have_text("3")
    expect(figure(page, "People")).to_have_text("1,000")
    stage.simulator.control(faults=[])
    press(page, "Fetch by Vote Code")
    expect_complete(page)
    expect(figure(page, "New")).to_have_text("0")
    expect(figure(page, "Unchanged")).to_have_text("1,000")


def test_by_tin(page: Page, stage: Stage) -> None:
    fetch(page, by="TIN")
    expect_complete(page)
    expect(card(page)).to_contain_text("by TIN 156255890")
    # Ten pages, and the empty page behind the end.
    assert sorted(stage.simulator.request_counts(key="156255890")) == list(range(11))


@pytest.mark.parametrize(
    ("institution", "off"),
    [
        ("OFISI YA RAIS - IKULU", ["TIN"]),
        ("OFISI YA MUFTI MKUU WA ZANZIBAR", ["Vote Code"]),
        ("SEKRETARIETI YA AJIRA .", ["Vote Code", "TIN"]),
    ],
)
def test_a_button_is_off_with_its_reason_where_the_register_has_no_number(
    page: Page, institution: str, off: list[str]
) -> None:
    choose(page, institution)
    for word in ("Vote Code", "TIN"):
        button = page.get_by_role("button", name=f"Fetch by {word}")
        if word in off:
            expect(button).to_be_disabled()
            reason = re.compile(f"^The register has no {word} for this institution", re.IGNORECASE)
            expect(button).to_have_accessible_description(reason)
            expect(page.get_by_text(reason)).to_be_visible()
        else:
            expect(button).to_be_enabled()


def test_a_page_size_out_of_bounds_is_said_even_when_it_is_folded_away(
    page: Page, stage: Stage, viewers: Viewers
) -> None:
    viewers.expect_trouble("status of 400")
    choose(page)
    fold = page.get_by_text("More options", exact=True)
    fold.click()
    page.get_by_role("spinbutton", name="Page size").fill("501")
    fold.click()
    expect(page.get_by_role("spinbutton", name="Page size")).to_be_hidden()
    press(page, "Fetch by Vote Code")
    expect(page.get_by_role("alert")).to_contain_text("from 1 to 500. Nothing was queued.")
    expect(page.get_by_role("spinbutton", name="Page size")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Page size")).to_have_value("501")
    assert stage.rows("SELECT count(*) FROM runs") == [(0,)]


def test_a_second_viewer_sees_the_same_run(
    page: Page, stage: Stage, viewers: Viewers, signed_in: StorageState
) -> None:
    stage.simulator.hold(after=4)
    fetch(page)
    other = viewers.open(storage_state=signed_in)
    other.goto("/dashboard/admin/fetch-data")
    choose(other)
    for window in (page, other):
        expect_percent(window, 40)
        expect(card(window)).to_have_accessible_name("Run 1")
    stage.simulator.release()
    for window in (page, other):
        expect_complete(window)


def test_a_second_press_shows_the_run_under_way(page: Page, stage: Stage) -> None:
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    press(page, "Fetch by TIN")
    expect(page.get_by_text("had already been requested")).to_be_visible()
    expect_percent(page, 40)
    expect(card(page)).to_have_accessible_name("Run 1")
    assert len(rows(page, "Latest runs")) == 1


def test_a_failed_run_says_why_and_is_tried_again_from_where_it_stopped(page: Page, stage: Stage) -> None:
    stage.simulator.hold(after=3)
    fetch(page)
    expect_percent(page, 30)
    stage.simulator.fail("body404", operation="204")
    stage.simulator.release()
    expect(status(page)).to_contain_text("Failed: HRIMS does not know")
    expect(status(page)).to_contain_text("The 300 people saved so far stay.")
    expect(card(page)).to_contain_text("Continues after the 3 saved pages.")
    stage.simulator.control(faults=[])
    press(page, "Retry run")
    expect_complete(page)
    expect(card(page)).to_have_accessible_name("Run 1")
    answered = stage.simulator.response_counts(key="001")
    assert (answered[1], answered[2]) == (1, 1), "saved pages were asked for again"


def test_a_run_can_be_cancelled_and_taken_up_again(page: Page, stage: Stage) -> None:
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)
    press(page, "Cancel run")
    expect(status(page)).to_have_text("Cancelled. The 400 people saved until then stay.")
    expect(page.get_by_role("button", name="Cancel run")).to_be_hidden()
    stage.simulator.release()
    press(page, "Retry run")
    expect_complete(page)


def test_a_run_without_a_worker_says_so_and_starts_when_one_registers(page: Page, stage: Stage) -> None:
    stage.stop_workers()
    fetch(page)
    expect(status(page)).to_contain_text("no worker is running")
    stage.start_worker()
    expect(status(page)).to_have_text(COMPLETE)
