"""An administrator tests and saves the HRIMS connection, with and without JavaScript."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, StorageState, expect

from tests.browser.stage import Stage
from tests.browser.steps import press
from tests.browser.test_looks import expect_fit_for_everybody
from tests.browser.viewers import Viewers
from tests.support.served import Served

PAGE = "/dashboard/admin/connection"

EMPTY = """
UPDATE remote_connection SET version = 0, address = NULL, connect_timeout = NULL, read_timeout = NULL,
       request_timeout = NULL, max_in_flight = NULL, changed_by = NULL, changed_at = NULL
"""


@pytest.fixture(scope="module")
def web(processes: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Provide a web process without an address in its environment."""
    with Served(tmp_path_factory.mktemp("web"), {**processes.env(), "HRIMS_BASE_URL": ""}) as running:
        yield running


@pytest.fixture(params=[True, False], ids=["javascript", "without"])
def page(
    browser: Browser, stage: Stage, web: Served, administrator: StorageState, request: pytest.FixtureRequest
) -> Iterator[Page]:
    """Provide an administrator's window, on the page. Nothing is saved yet."""
    stage.conn.execute("DELETE FROM remote_credentials")
    stage.conn.execute(EMPTY.encode())
    viewers = Viewers(browser, web.url)
    if not request.param:
        viewers.expect_trouble("status of 400")
    opened = viewers.open(storage_state=administrator, java_script_enabled=request.param)
    opened.goto(PAGE)
    yield opened
    viewers.close()
    assert not viewers.troubles, "\n".join(viewers.troubles)


def states(page: Page) -> list[str]:
    """Return the result of each step of the test, after it has ended."""
    result = page.get_by_role("region", name="Result of the test")
    expect(result).to_be_visible()
    return result.locator(".state").all_inner_texts()


def test_it_is_tested_saved_and_changed(page: Page, stage: Stage) -> None:
    page.locator("[name=address]").fill(stage.simulator.url)
    page.locator("[name=token]").fill("an-invented-token")
    press(page, "Test connection")
    assert states(page) == ["ok"] * 5
    # Without JavaScript the page is loaded again, and shows no credential.
    page.locator("[name=token]").fill("an-invented-token")
    page.get_by_label("Requests in flight").fill("3")
    press(page, "Save connection")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Set on .* by binti\."))).to_have_count(1)
    expect(page.locator("[name=token]")).to_have_value("")
    expect(page.locator("[name=address]")).to_have_value(stage.simulator.url)
    assert "an-invented-token" not in page.content()
    press(page, "Test connection")
    assert states(page) == ["ok"] * 5
    page.get_by_label("Remove the token").check()
    press(page, "Save connection")
    expect(page.get_by_text(re.compile(r"Set on .* by binti\."))).to_have_count(0)


def test_a_test_keeps_what_was_typed(page: Page, stage: Stage) -> None:
    page.locator("[name=address]").fill("http://169.254.169.254/latest")
    press(page, "Test connection")
    expect(page.get_by_role("alert").filter(has_text="HRIMS cannot have")).to_be_visible()
    expect(page.locator("[name=address]")).to_have_value("http://169.254.169.254/latest")
    page.locator("[name=address]").fill("http://127.0.0.1:1")
    press(page, "Test connection")
    assert states(page) == ["ok", "failed", "skipped", "skipped", "skipped"]
    expect(page.get_by_text("no program listens there")).to_be_visible()


@pytest.mark.parametrize("page", [True], indirect=True)
def test_every_state_fits_everybody(page: Page, stage: Stage) -> None:
    expect(page.get_by_text("No address of HRIMS is known.")).to_be_visible()
    expect_fit_for_everybody(page)
    page.locator("[name=address]").fill(stage.simulator.url + "/" + "wrong" * 60)
    page.locator("[name=token]").fill("an-invented-token")
    press(page, "Test connection")
    assert states(page) == ["ok", "ok", "ok", "failed", "skipped"]
    expect_fit_for_everybody(page)
    press(page, "Save connection")
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()
    expect_fit_for_everybody(page)


def test_settings_of_the_environment_cannot_be_changed(
    viewers: Viewers, stage: Stage, administrator: StorageState
) -> None:
    opened = viewers.open(storage_state=administrator)
    opened.goto(PAGE)
    expect(opened.locator("[name=address]")).to_be_disabled()
    expect(opened.locator("[name=address]")).to_have_value(stage.simulator.url)
    expect(opened.get_by_text("HRIMS_BASE_URL")).to_be_visible()
    expect(opened.get_by_role("region", name="Workers")).to_contain_text(stage.simulator.url)
    expect_fit_for_everybody(opened)
