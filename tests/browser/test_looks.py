"""Every state of the page fits a phone and a desk, by day and by night, and is accessible."""

import hashlib
import re
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, StorageState, expect

from tests.browser import axe
from tests.browser.stage import Stage
from tests.browser.steps import choose, expect_complete, expect_percent, fetch, press, status
from tests.browser.viewers import Viewers, sign_in

PHONE, DESK = 360, 1280


def long_name(page: Page, stage: Stage) -> None:
    fetch(page, "OFISI YA RAIS, TAWALA ZA MIKOA, SERIKALI ZA MITAA NA IDARA MAALUMU ZA SMZ")
    expect(status(page)).to_contain_text("Complete")


def waiting(page: Page, stage: Stage) -> None:
    stage.stop_workers()
    fetch(page)
    expect(status(page)).to_contain_text("no worker")


def active(page: Page, stage: Stage) -> None:
    stage.simulator.hold(after=4)
    fetch(page)
    expect_percent(page, 40)


def completed(page: Page, stage: Stage) -> None:
    fetch(page)
    expect_complete(page)


def incomplete(page: Page, stage: Stage) -> None:
    stage.simulator.fail("wrong_total", total=1003)
    fetch(page)
    expect(status(page)).to_contain_text("Incomplete")


def failed(page: Page, stage: Stage) -> None:
    stage.simulator.fail("body404", operation="204")
    fetch(page)
    expect(status(page)).to_contain_text("Failed")


def cancelled(page: Page, stage: Stage) -> None:
    active(page, stage)
    press(page, "Cancel run")
    expect(status(page)).to_contain_text("Cancelled")


STATES = [long_name, waiting, active, completed, incomplete, failed, cancelled]


def expect_fit_for_everybody(page: Page) -> None:
    """Check the page as it is, at both widths and in both schemes, which differ only in their colours."""
    found = []
    schemes: dict[Literal["light", "dark"], list[str]] = {"light": [], "dark": ["color-contrast"]}
    for scheme, rules in schemes.items():
        page.emulate_media(color_scheme=scheme)
        for width in (PHONE, DESK):
            page.set_viewport_size({"width": width, "height": 800})
            wide = page.evaluate("document.documentElement.scrollWidth")
            if wide > width:
                found.append(f"{width} px wide, and scrolls sideways over {wide}")
            found += [f"{width} px, {scheme}: {line}" for line in axe.violations(page, *rules)]
    assert not found, "\n".join(found)


def test_without_a_run_it_fits_everybody(page: Page) -> None:
    expect(page.get_by_text("Select an institution to see")).to_be_visible()
    expect_fit_for_everybody(page)
    choose(page)
    expect_fit_for_everybody(page)
    choose(page, "SEKRETARIETI YA AJIRA .")
    expect_fit_for_everybody(page)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_fits_everybody(page: Page, stage: Stage, state: Callable[[Page, Stage], None]) -> None:
    state(page, stage)
    expect_fit_for_everybody(page)


def test_signing_in_fits_everybody(viewers: Viewers) -> None:
    viewers.expect_trouble("status of 401")
    page = viewers.open()
    page.goto("/")
    expect_fit_for_everybody(page)
    sign_in(page, password="a dry monsoon")
    expect(page.get_by_role("alert")).to_be_visible()
    expect_fit_for_everybody(page)


def test_a_lost_connection_fits_everybody(
    page: Page, stage: Stage, viewers: Viewers, signed_in: StorageState
) -> None:
    viewers.expect_trouble("ERR_INTERNET_DISCONNECTED|^htmx:sendError")
    active(page, stage)
    page.context.set_offline(True)
    expect(page.get_by_text("Connection lost")).to_be_visible()
    expect_fit_for_everybody(page)


def test_the_vendored_files_are_what_their_readme_says() -> None:
    readme = axe.AXE.with_name("README.md").read_text(encoding="utf-8")
    told = re.search(r"`axe\.min\.js` .*`([0-9a-f]{64})`", readme)
    assert told
    assert hashlib.sha256(axe.AXE.read_bytes()).hexdigest() == told[1]
