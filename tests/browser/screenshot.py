"""The README's picture: starts the demo, fetches an institution as an officer would, and
keeps what Chromium drew of the result.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from playwright.sync_api import Page, expect, sync_playwright

from tests import PROJECT
from tests.browser import chromium
from tests.browser.chromium import NoChromium
from tests.browser.steps import fetch, status
from tests.browser.viewers import TIMEOUT_MS, sign_in
from tests.support.served import free_port
from tests.support.shared import remove_when_stopped

PICTURE = PROJECT / "docs" / "fetch-data.png"

WIDTH, HEIGHT = 1280, 800

NOT_OURS = ("DATABASE_URL", "HRIMS_BASE_URL")
"""Settings that would make it something else than the demo."""

STOPS_WITHIN = 60


@contextmanager
def demo(password: str) -> Iterator[str]:
    """Start what ``make run`` starts, with data of its own. Yield its address, and leave nothing behind."""
    state = Path(tempfile.mkdtemp(prefix="hrims-picture-"))
    state.chmod(0o711)  # as root, the server is another account
    port = free_port()
    env = {name: value for name, value in os.environ.items() if name not in NOT_OURS}
    env |= {"HRIMS_STATE_DIR": str(state), "PORT": str(port), "HRIMS_ADMIN_PASSWORD": password}
    up = subprocess.Popen(
        [str(Path(sys.executable).with_name("hrims")), "up"], env=env, stdout=subprocess.PIPE, text=True
    )
    assert up.stdout is not None
    try:
        told = [line := up.stdout.readline()]
        while line and "is up" not in line:
            told.append(line := up.stdout.readline())
        if not line:
            raise click.ClickException("The demo did not start:\n" + "".join(told))
        yield f"http://127.0.0.1:{port}"
    finally:
        up.send_signal(signal.SIGTERM)
        up.communicate(timeout=STOPS_WITHIN)
        remove_when_stopped(state)


def draw(page: Page, address: str, password: str) -> None:
    """Fetch the ministry of health, and keep the picture when all people are there."""
    page.goto(address)
    sign_in(page, "admin", password)
    fetch(page)
    expect(status(page)).to_contain_text("Complete: all 2,500", timeout=4 * TIMEOUT_MS)
    expect(page.locator("[hx-trigger*=every]:not(#banner)")).to_have_count(0)
    page.mouse.move(0, 0)
    page.screenshot(path=PICTURE, full_page=True)


def main() -> None:
    """Make the picture again."""
    password = secrets.token_urlsafe(16)
    try:
        program = chromium.executable()
    except NoChromium as reason:
        raise click.ClickException(str(reason)) from None
    with demo(password) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=chromium.ARGUMENTS)
        page = browser.new_page(
            viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light", reduced_motion="reduce"
        )
        draw(page, address, password)
        browser.close()
    click.echo(f"{PICTURE.relative_to(PROJECT)} shows the page as it is.")


if __name__ == "__main__":
    click.command()(main)()
