"""A supervisor approves, refuses and undoes leavers of others: mouse, keyboard, no JavaScript."""

import pytest
from playwright.sync_api import Page, StorageState, expect

from hrims.access.actor import Actor
from hrims.approvals import actions as approvals
from hrims.institutions import store as institution_store
from hrims.jobs import enqueue
from tests.browser.stage import Stage
from tests.browser.steps import follow, press, rows
from tests.browser.test_keyboard import tab_to
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers
from tests.support.users import ASHA, BINTI, JUMA

PAGE = "/dashboard/admin/leavers"

VOTE = "005"
"""An institution whose people no other test changes."""


@pytest.fixture
def page(viewers: Viewers, supervisor: StorageState) -> Page:
    """Provide a supervisor's window."""
    return viewers.open(storage_state=supervisor)


def bring(stage: Stage, actor: Actor) -> None:
    """Run the institution, as requested by this person."""
    institution = institution_store.find_institution_by(stage.conn, "votecode", VOTE)
    assert institution
    requested = enqueue.enqueue_run(
        stage.conn, actor, institution_id=institution.id, identifier_type="votecode", identifier=VOTE
    )
    assert stage.wait_for_end(requested.run_id).outcome == "complete"


def gone(stage: Stage, actor: Actor, count: int) -> list[str]:
    """So many new people come, and are gone two runs later; returns their names."""
    zan_ids = stage.simulator.add_people(vote=VOTE, count=count, at=0)
    bring(stage, actor)
    stage.simulator.remove_people(*zan_ids, vote=VOTE)
    bring(stage, actor)
    bring(stage, actor)
    names = dict(stage.rows("SELECT zan_id, name FROM employees"))
    return [names[one] for one in zan_ids]


def expect_undone_after_approval(page: Page, stage: Stage) -> None:
    """Expect the undo to wait for another user, and to be done once binti has approved it."""
    page.wait_for_url("**/dashboard/admin/approvals*")
    assert stage.rows("SELECT count(*) > 0 FROM employees WHERE left_at IS NOT NULL") == [(True,)]
    ((approval,),) = stage.rows("SELECT id FROM approvals WHERE state = 'waiting'")
    approvals.approve(stage.conn, BINTI, approval)
    page.goto(PAGE)
    expect(page.get_by_role("article", name="Leavers 1")).to_contain_text("undone by binti")


def test_a_second_person_approves_and_undoes(page: Page, stage: Stage) -> None:
    names = gone(stage, ASHA, 30)
    page.goto(PAGE)
    card = page.get_by_role("article", name="Leavers 1")
    expect(card).to_contain_text("30 people would leave")
    expect(card).to_contain_text("requested by asha")
    expect(card.get_by_role("link", name=names[0])).to_be_visible()
    card.get_by_role("link", name="all 30 people").click()
    assert sorted(name for name, *_ in rows(page, "People")) == sorted(names)
    press(page, "Approve 30 leavers")
    page.wait_for_url(f"**{PAGE}")
    expect(page.get_by_text("No leavers wait for approval.")).to_be_visible()
    expect(card).to_contain_text("approved by juma")
    expect(card).to_contain_text("30 left, 0 transferred.")
    card.get_by_role("link", name=names[0]).click()
    expect(page.get_by_text("Left: on no list")).to_be_visible()
    page.go_back()
    press(page, "Undo leavers 1")
    expect_undone_after_approval(page, stage)
    assert stage.rows("SELECT count(*) FROM employees WHERE left_at IS NOT NULL") == [(0,)]


def test_the_user_who_requested_the_run_can_only_refuse(page: Page, stage: Stage) -> None:
    gone(stage, JUMA, 30)
    page.goto(PAGE)
    card = page.get_by_role("article", name="Leavers 1")
    expect(card).to_contain_text("another user must approve")
    expect(card.get_by_role("button", name="Approve 30 leavers")).to_have_count(0)
    card.get_by_role("button", name="Refuse leavers").click()
    expect(card).to_contain_text("30 people stayed.")


def test_an_officer_sees_leavers_and_cannot_decide(
    viewers: Viewers, stage: Stage, signed_in: StorageState
) -> None:
    gone(stage, JUMA, 30)
    page = viewers.open(storage_state=signed_in)
    page.goto(PAGE)
    expect(page.get_by_role("article", name="Leavers 1")).to_contain_text("30 people would leave")
    expect(page.get_by_role("button", name="leavers")).to_have_count(0)


def test_by_keyboard_alone(page: Page, stage: Stage) -> None:
    gone(stage, ASHA, 30)
    page.goto(PAGE)
    tab_to(page, page.get_by_role("button", name="Approve 30 leavers"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("No leavers wait for approval.")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Undo leavers 1"))
    page.keyboard.press("Enter")
    expect_undone_after_approval(page, stage)


def test_without_javascript(viewers: Viewers, stage: Stage, supervisor: StorageState) -> None:
    gone(stage, ASHA, 30)
    page = viewers.open(storage_state=supervisor, java_script_enabled=False)
    page.goto(PAGE)
    press(page, "Approve 30 leavers")
    expect(page.get_by_text("approved by juma")).to_be_visible()
    press(page, "Undo leavers 1")
    expect_undone_after_approval(page, stage)


@pytest.mark.parametrize("actor", [ASHA, JUMA], ids=["second", "first"])
def test_every_state_fits_everybody(page: Page, stage: Stage, actor: Actor) -> None:
    page.goto(PAGE)
    expect_fit_for_everybody(page)
    gone(stage, actor, 1)
    gone(stage, actor, 30)
    page.goto(PAGE)
    expect(page.get_by_role("article")).to_have_count(2)
    expect_fit_for_everybody(page)
    follow(page.get_by_role("link", name="all 30 people"))
    expect_fit_for_everybody(page)
