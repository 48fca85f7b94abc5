"""A real Chromium in front of the whole product: web process, worker, simulator, Postgres.

The processes are shared by the tests of this folder; ``stage`` puts everything back before each.
"""

from collections.abc import Generator, Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, StorageState, sync_playwright

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.browser import chromium
from tests.browser.stage import ADMINISTRATOR, NAME, SUPERVISOR, Stage
from tests.browser.viewers import Viewers, sign_in
from tests.support.databases import clone
from tests.support.simulated import Simulator

SIZES = {"001": 1000, "156255890": 1000, "184661177": 120}
"""People by vote code or TIN: ten pages to watch, and a small institution."""

ENDED = pytest.StashKey[pytest.TestReport]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Store the result of the test for its fixtures."""
    report = yield
    if report.when == "call":
        item.stash[ENDED] = report
    return report


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Not for the whole session: Playwright holds the thread's event loop, which other tests need.
    """Provide a Chromium."""
    program = chromium.executable()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=chromium.ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="package")
def processes(
    server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Provide the product, running."""
    folder = tmp_path_factory.mktemp("stage")
    with (
        clone(server_dsn, template_database) as dsn,
        Simulator(sizes=SIZES, scale=0.05) as simulator,
        psycopg.connect(dsn, autocommit=True) as conn,
    ):
        importer.seed(conn, DEMO_REGISTER)
        running = Stage(dsn, conn, simulator, folder)
        try:
            yield running
        finally:
            running.close()


@pytest.fixture
def stage(processes: Stage) -> Stage:
    """Provide the running product in its initial state."""
    processes.clear()
    return processes


@pytest.fixture(scope="package")
def signed_in(browser: Browser, processes: Stage) -> StorageState:
    """Provide the cookies of an officer who has signed in."""
    return _sign_in(browser, processes, NAME)


@pytest.fixture(scope="package")
def supervisor(browser: Browser, processes: Stage) -> StorageState:
    """Provide the cookies of a supervisor who has signed in."""
    return _sign_in(browser, processes, SUPERVISOR)


@pytest.fixture(scope="package")
def administrator(browser: Browser, processes: Stage) -> StorageState:
    """Provide the cookies of an administrator who has signed in."""
    return _sign_in(browser, processes, ADMINISTRATOR)


def _sign_in(browser: Browser, stage: Stage, name: str) -> StorageState:
    stage.clear()
    viewers = Viewers(browser, stage.url)
    page = viewers.open()
    page.goto("/")
    sign_in(page, name)
    page.wait_for_url("**/dashboard/**")
    state = page.context.storage_state()
    viewers.close()
    return state


@pytest.fixture
def viewers(browser: Browser, stage: Stage, request: pytest.FixtureRequest) -> Iterator[Viewers]:
    """Provide browser windows. A message of a console or a policy in them fails the test."""
    opened = Viewers(browser, stage.url)
    yield opened
    ended = request.node.stash.get(ENDED, None)
    if opened.troubles or (ended and ended.failed):
        opened.keep(request.node.name)
    opened.close()
    assert not opened.troubles, "\n".join(opened.troubles)


@pytest.fixture
def page(viewers: Viewers, signed_in: StorageState, request: pytest.FixtureRequest) -> Page:
    """Provide an officer's window, on the page.

    ``@pytest.mark.parametrize("page", [options], indirect=True)`` opens it with other options.
    """
    options: dict[str, Any] = getattr(request, "param", {})
    opened = viewers.open(storage_state=signed_in, **options)
    opened.goto("/dashboard/admin/fetch-data")
    return opened
