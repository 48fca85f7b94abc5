"""An officer looks at rejects, filters and downloads them, and asks HRIMS again for them."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser.stage import Stage
from tests.browser.steps import card, choose, expect_complete, press, rows, status
from tests.browser.test_keyboard import tab_to
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers

HERE = "/dashboard/admin/rejects"
BAD, GOOD = "yesterday", "1990-09-17T00:00:00"

PLACES = ["132", "558"]
"""Those that are rejected, by their places in HRIMS' list. Which is kept first, its pages' answers decide."""


def break_some(stage: Stage) -> list[str]:
    """Make two records of the ministry of health unreadable, and keep HRIMS so until the test ends."""
    people = stage.simulator.people(vote="001")
    zan_ids = [people[int(place) - 1]["zan_id"] for place in PLACES]
    for zan_id in zan_ids:
        stage.simulator.change_person(zan_id, **{"personalInfo.birthDate": BAD})
    return zan_ids


def mend(stage: Stage, zan_ids: list[str]) -> None:
    for zan_id in zan_ids:
        stage.simulator.change_person(zan_id, **{"personalInfo.birthDate": GOOD})


def with_rejects(page: Page, stage: Stage) -> list[str]:
    """Fetch the ministry of health with two rejects, and open the screen."""
    zan_ids = break_some(stage)
    choose(page)
    press(page, "Fetch by Vote Code")
    expect_complete(page)
    mend(stage, zan_ids[:1])
    page.goto(HERE)
    return zan_ids


@pytest.fixture
def rejected(page: Page, stage: Stage) -> list[str]:
    return with_rejects(page, stage)


def test_it_works(page: Page, stage: Stage, rejected: list[str]) -> None:
    """From the run's card to the rejects, and by one button back to a run that asks for them again."""
    page.goto("/dashboard/admin/fetch-data")
    choose(page)
    page.get_by_text("Why 2 records were rejected").click()
    page.get_by_role("link", name="Show all rejects of WIZARA YA AFYA").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Rejects")
    expect(page.get_by_label("Institution")).to_have_value(
        str(stage.rows("SELECT id FROM institutions WHERE vote_code = '001'")[0][0])
    )
    listed = rows(page, "Rejects")
    assert sorted(row[4].split("\n")[0] for row in listed) == PLACES
    assert all("payroll number" in row[1] for row in listed)
    before = stage.simulator.counters()["requests"]
    press(page, "Fetch 2 rejected records again by vote code")
    expect(status(page)).to_have_text("Fetched 2 rejected records again: 1 corrected, 1 still rejected.")
    expect(card(page)).to_contain_text("Now saved")
    assert stage.simulator.counters()["requests"] - before == 2
    expect(
        page.get_by_role("region", name="Latest runs").get_by_text("fetched again", exact=True)
    ).to_be_visible()
    page.goto(HERE)
    expect(page.get_by_role("status").first).to_have_text("1 open, 1 closed.")
    mend(stage, rejected)


def test_the_filter_finds_as_one_chooses(page: Page, stage: Stage, rejected: list[str]) -> None:
    mend(stage, rejected)
    expect(page.get_by_text("Select an institution to fetch its rejected records again")).to_be_visible()
    page.get_by_label("Problem").select_option(label="No ZanID")
    expect(page.get_by_text("No rejects match.")).to_be_visible()
    page.get_by_label("Problem").select_option(label="Invalid date")
    expect(page.get_by_role("region", name="Rejects")).to_be_visible()
    page.get_by_label("State").select_option(label="Closed")
    expect(page.get_by_text("No rejects match.")).to_be_visible()
    page.get_by_label("State").select_option(label="All")
    expect(page.get_by_role("region", name="Rejects")).to_be_visible()
    assert "code=bad_date" in page.url
    page.reload()
    expect(page.get_by_label("State")).to_have_value("all")
    assert len(rows(page, "Rejects")) == 2


def test_the_downloads(page: Page, stage: Stage, rejected: list[str], tmp_path: Path) -> None:
    mend(stage, rejected)
    page.get_by_label("Institution").select_option(label="WIZARA YA AFYA")
    expect(page.get_by_role("button", name="Fetch 2 rejected records again by vote code")).to_be_visible()
    files = {}
    for name, link in (("csv", "as CSV"), ("xlsx", "for Excel (XLSX)")):
        with page.expect_download() as started:
            page.get_by_role("link", name=link).click()
        assert started.value.suggested_filename.endswith(f".{name}")
        files[name] = tmp_path / name
        started.value.save_as(files[name])
    with files["csv"].open(encoding="utf-8-sig", newline="") as opened:
        assert sorted(row["Record"] for row in csv.DictReader(opened)) == PLACES
    assert files["xlsx"].read_bytes().startswith(b"PK")


def test_by_keyboard_alone(page: Page, stage: Stage, rejected: list[str]) -> None:
    mend(stage, rejected)
    institution = page.get_by_label("Institution")
    tab_to(page, institution)
    page.keyboard.type("wizara ya afya")
    expect(institution.locator("option:checked")).to_have_text("WIZARA YA AFYA")
    button = page.get_by_role("button", name="Fetch 2 rejected records again by vote code")
    expect(button).to_be_visible()
    tab_to(page, page.get_by_label("State"))
    tab_to(page, button)
    tab_to(page, page.get_by_role("region", name="Rejects"))
    tab_to(page, page.get_by_role("link", name="as CSV"))
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Shift+Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text("2 corrected")


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_javascript(page: Page, stage: Stage, viewers: Viewers, signed_in: StorageState) -> None:
    scripted = viewers.open(storage_state=signed_in)
    scripted.goto("/dashboard/admin/fetch-data")
    mend(stage, with_rejects(scripted, stage))
    page.goto(HERE)
    page.get_by_label("Institution").select_option(label="WIZARA YA AFYA")
    page.get_by_role("button", name="Show").click()
    press(page, "Fetch 2 rejected records again by vote code")
    expect(page.get_by_role("heading", name="WIZARA YA AFYA")).to_be_visible()
    stage.wait_for_rows("SELECT state FROM runs ORDER BY id DESC LIMIT 1", [("completed",)])
    page.reload()
    expect(status(page)).to_contain_text("2 corrected")


def test_with_rejects_it_fits_everybody(page: Page, stage: Stage, rejected: list[str]) -> None:
    mend(stage, rejected)
    page.get_by_label("State").select_option(label="All")
    page.get_by_label("Institution").select_option(label="WIZARA YA AFYA")
    expect(page.get_by_role("button", name="Fetch 2 rejected records again")).to_be_visible()
    expect_fit_for_everybody(page)
    press(page, "Fetch 2 rejected records again by vote code")
    expect(status(page)).to_contain_text("2 corrected")
    expect_fit_for_everybody(page)


def test_empty_and_refused_it_fits_everybody(page: Page, viewers: Viewers) -> None:
    viewers.expect_trouble("status of 400")
    page.goto(HERE)
    expect_fit_for_everybody(page)
    page.goto(f"{HERE}?code=nonsense")
    expect(page.get_by_role("alert")).to_be_visible()
    expect_fit_for_everybody(page)


def test_what_has_changed_at_hrims_is_said_with_the_run(page: Page, stage: Stage) -> None:
    choose(page)
    press(page, "Fetch by Vote Code")
    expect_complete(page)
    stage.simulator.control(
        new_fields={"personalInfo.bloodGroup": "O+"}, missing_fields=["personalInfo.street"]
    )
    press(page, "Fetch by Vote Code")
    expect(card(page)).to_contain_text(
        "HRIMS' answers have changed: new field personalInfo.bloodGroup; "
        "field personalInfo.street is no longer sent"
    )
    expect_fit_for_everybody(page)
