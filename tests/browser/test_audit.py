"""An administrator finds out who did what, and takes the records along, without JavaScript too."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, StorageState, expect

from hrims.access.audit import record
from tests.browser.stage import Stage
from tests.browser.steps import press
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers
from tests.support.users import ASHA, JUMA

PAGE = "/dashboard/admin/audit"


@pytest.fixture(params=[True, False], ids=["javascript", "without"])
def page(viewers: Viewers, administrator: StorageState, stage: Stage, request: pytest.FixtureRequest) -> Page:
    """Provide an administrator's window, on the page, with two records of the test's own."""
    before = {"state": "waiting", "note": "x" * 200}
    record(stage.conn, ASHA, "queue.pause", "audited:one", reason="The payroll is closed", before=before)
    record(stage.conn, JUMA, "queue.resume", "audited:two")
    opened = viewers.open(storage_state=administrator, java_script_enabled=request.param)
    opened.goto(PAGE)
    return opened


def test_records_are_filtered_and_downloaded(page: Page, tmp_path: Path) -> None:
    rows = page.get_by_role("region", name="Records").locator("tbody tr")
    page.get_by_label("Object").fill("audited:one")
    press(page, "Show records")
    expect(rows.first).to_contain_text("The payroll is closed")
    expect(page.get_by_role("link", name="audited:two")).to_have_count(0)
    rows.first.get_by_text("Details").click()
    expect(rows.first.get_by_text('"waiting"')).to_be_visible()
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download these records as CSV").click()
    downloading.value.save_as(tmp_path / "audit.csv")
    with (tmp_path / "audit.csv").open(newline="", encoding="utf-8") as lines:
        assert {row["subject"] for row in csv.DictReader(lines)} == {"audited:one"}


@pytest.mark.parametrize("page", [True], indirect=True)
def test_every_state_fits_everybody(page: Page) -> None:
    expect_fit_for_everybody(page)
    page.get_by_text("Details").first.click()
    expect_fit_for_everybody(page)
    page.goto(f"{PAGE}?user=unknown")
    expect(page.get_by_text("No records match.")).to_be_visible()
    expect_fit_for_everybody(page)
