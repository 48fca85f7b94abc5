"""Finds a Chromium for the browser tests: the path of its program goes out, or words on what to do.

``python -m tests.browser.chromium`` installs one where there is none, and is silent where there is.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
"""Settings to run as root and in containers, and to connect to the product only."""

VARIABLE = "HRIMS_CHROMIUM"
"""Names the program to use, before all others."""

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
"""What it is called on a PATH. The first has no user interface and needs about a third less time."""

APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=120")

PACKAGES = ("chromium-headless-shell", "fonts-liberation")
"""Debian's; without the fonts a bare machine draws boxes for letters."""

ANSWERS_WITHIN = 60
"""Seconds that a program has to tell its version."""

WHAT_TO_DO = (
    "There is no Chromium for the browser tests, and none could be installed. Install one "
    "(Debian: apt-get install chromium; elsewhere: .venv/bin/playwright install --with-deps chromium), "
    f"or name one: {VARIABLE}=/path/to/chromium make test"
)


class NoChromium(Exception):
    """There is no Chromium that runs; the text says what to do."""


def executable() -> str:
    """Return the program to start. Raises NoChromium; may not be called while Playwright runs."""
    found = find()
    if not found:
        raise NoChromium("There is no Chromium for the browser tests. `make browser` installs one.")
    return found


def find() -> str | None:
    """Return the named program, else one on the PATH, else Playwright's own; None when there is none.

    Raises NoChromium when the named one does not run.
    """
    if named := os.environ.get(VARIABLE):
        if not _runs(named):
            raise NoChromium(f"{VARIABLE}={named} does not run. Name a Chromium that does, or none.")
        return named
    there = (shutil.which(name) for name in NAMES)
    return next((one for one in [*there, _of_playwright()] if one and _runs(one)), None)


def _runs(program: str) -> bool:
    # Ubuntu has a program of this name that only says that the real one is elsewhere.
    try:
        told = subprocess.run(
            [program, "--version"], capture_output=True, timeout=ANSWERS_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return told.returncode == 0


def _of_playwright() -> str | None:
    with sync_playwright() as playwright:
        program = playwright.chromium.executable_path
    return program if Path(program).exists() else None


def install() -> str:
    """Install one: Debian's as root, else Playwright's own. Raises NoChromium when neither comes."""
    for way in (_from_debian, _from_playwright):
        way()
        if found := find():
            return found
    raise NoChromium(WHAT_TO_DO)


def _from_debian() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    click.echo("Installing Debian's Chromium for the browser tests ...")
    if _tried([*APT, "update"]):
        _tried([*APT, "install", "-y", "--no-install-recommends", *PACKAGES])


def _from_playwright() -> None:
    click.echo("Downloading Playwright's Chromium for the browser tests ...")
    _tried([sys.executable, "-m", "playwright", "install", "chromium"])


def _tried(command: list[str]) -> bool:
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def main() -> int:
    """Exit code 0 when there is one at the end; else 1, with words on stderr."""
    try:
        if not find():
            click.echo(f"Chromium for the browser tests: {install()}")
    except NoChromium as reason:
        click.echo(str(reason), err=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
