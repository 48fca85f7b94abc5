"""Browsers in front of the product: options come in, pages go out, and whatever went wrong in them
fails the test, with a picture of each page.
"""

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests import PROJECT
from tests.browser.stage import NAME
from tests.support.users import PASSWORD

CALM: dict[str, Any] = {"reduced_motion": "reduce"}
"""Animations take time, and show tests nothing."""

TIMEOUT_MS = 30_000
"""Milliseconds after which what does not show fails a test."""

RESULTS = PROJECT / "test-results"

CSP_EAR = """document.addEventListener("securitypolicyviolation", (event) =>
    console.error("CSP violation", event.violatedDirective, event.blockedURI, event.sourceFile))"""

BY_DESIGN = r"^htmx:(sendAbort|afterRequest)"
"""A choice that follows another drops the first one's answer; the second word repeats every error."""

expect.set_options(timeout=TIMEOUT_MS)


class Viewers:
    """The browser contexts of one test; each is the window of a user."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self.contexts: list[BrowserContext] = []
        self.troubles: list[str] = []
        self._expected = [BY_DESIGN]

    def open(self, **options: Any) -> Page:
        """Open a window without a session unless ``storage_state`` has one."""
        context = self.browser.new_context(base_url=self.url, **(CALM | options))
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(CSP_EAR)
        context.on("console", self._heard)
        context.on("weberror", lambda thrown: self.troubles.append(f"page error: {thrown.error}"))
        self.contexts.append(context)
        return context.new_page()

    def expect_trouble(self, words: str) -> None:
        """Allow what a console may say in this test: a regular expression."""
        self._expected.append(words)

    def _heard(self, message: ConsoleMessage) -> None:
        known = any(re.search(words, message.text) for words in self._expected)
        if message.type in {"error", "warning"} and not known:
            self.troubles.append(f"console {message.type}: {message.text} ({message.location.get('url')})")

    def keep(self, name: str) -> Path:
        """Keep what each page shows, as a picture and as HTML; return the folder."""
        folder = RESULTS / re.sub(r"[^A-Za-z0-9._-]+", "-", name)
        folder.mkdir(parents=True, exist_ok=True)
        pages = [page for context in self.contexts for page in context.pages]
        for number, page in enumerate(pages, start=1):
            (folder / f"{number}.html").write_text(page.content())
            page.screenshot(path=folder / f"{number}.png", full_page=True)
        return folder

    def close(self) -> None:
        """Close all windows."""
        for context in self.contexts:
            context.close()


def sign_in(page: Page, name: str = NAME, password: str = PASSWORD) -> None:
    """Sign in on the sign-in page."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
