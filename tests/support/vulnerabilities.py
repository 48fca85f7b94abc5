"""Checks the locked packages for known vulnerabilities: ``python -m tests.support.vulnerabilities``.

Input: the locks, and PyPI's vulnerability service, which pip-audit asks. Exit code: 0 if there is none, or if
the service cannot be reached (a message says so); 1 if there is one; 2 if the check itself does not work.
"""

import datetime as dt
import hashlib
import os
import sys
import time
import tomllib
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import requests
from pip_audit._audit import Auditor
from pip_audit._dependency_source import DependencySource, RequirementSource
from pip_audit._service.interface import ConnectionError as NoConnection
from pip_audit._service.interface import Dependency, ResolvedDependency, ServiceError, VulnerabilityResult
from pip_audit._service.pypi import PyPIService

from tests import PROJECT

LOCKS = ("requirements.lock", "requirements-dev.lock")
PYPI = "https://pypi.org"
VARIABLE = "HRIMS_TEST_VULNERABILITY_SERVICE"
"""The environment variable that names another address with PyPI's JSON API, such as a mirror."""

CONCURRENT = 8
"""Requests at a time. If none of the first ones is answered, no more are sent."""

TIMEOUT = 5
"""Seconds that a request may take to connect, and between two parts of its answer."""

FRESH = 12 * 3600
"""Seconds for which a result without any vulnerability holds for the same locks."""

FOUND, BROKEN = 1, 2
"""Exit codes."""

WHAT_TO_DO = (
    f"Run `make check` where {PYPI} can be reached, at least before a release, or set {VARIABLE} to a mirror "
    "that has PyPI's JSON API with its vulnerabilities."
)


class NotTheService(requests.RequestException):
    """The answer is none of the vulnerability service, such as the page of a proxy."""


class Service(PyPIService):  # type: ignore[misc] # pip-audit states no types
    """PyPI's service, at any address. It accepts no answer that lacks the list of vulnerabilities."""

    def __init__(self, cache: Path, address: str, seconds: float) -> None:
        super().__init__(cache)
        self.timeout = seconds
        self._address, self._send = address.rstrip("/"), self.session.get
        self.session.get = self._get

    def _get(self, url: str, timeout: float) -> Any:
        response = self._send(url.replace(PYPI, self._address, 1), timeout=timeout)
        if response.ok:
            found = response.json()
            if not isinstance(found, dict) or not isinstance(found.get("vulnerabilities"), list):
                raise NotTheService("its answer has no list of vulnerabilities")
        return response


class Pinned(DependencySource):  # type: ignore[misc] # the same
    """One package, as pip-audit takes it."""

    def __init__(self, package: ResolvedDependency) -> None:
        self._package = package

    def collect(self) -> Iterator[Dependency]:
        """Return the package."""
        yield self._package

    def fix(self, fix_version: object) -> None:
        """Refuse: the locks are changed by `make lock` only."""
        raise NotImplementedError


class Answer(NamedTuple):
    """What the service answered about a package. ``reason`` says why it was not checked."""

    package: ResolvedDependency
    vulnerabilities: Sequence[VulnerabilityResult] = ()
    reason: str | None = None


def main() -> int:
    """Check this project's locks. Return the exit code."""
    try:
        return run(
            [PROJECT / name for name in LOCKS],
            folder=PROJECT / ".venv",
            accepted=read_accepted(PROJECT / "pyproject.toml", dt.datetime.now(dt.UTC).date()),
            address=os.environ.get(VARIABLE, PYPI),
        )
    except Exception:  # noqa: BLE001 - whatever it is, it must not look like a vulnerability
        say(f"{traceback.format_exc()}The check for known vulnerabilities does not work: see above.")
        return BROKEN


def run(
    locks: Sequence[Path], *, folder: Path, accepted: frozenset[str], address: str, seconds: float = TIMEOUT
) -> int:
    """Print what is known about the locked packages, and return the exit code."""
    known = b"\0".join(
        [*(lock.read_bytes() for lock in locks), *(item.encode() for item in sorted(accepted))]
    )
    stamp = folder / f"no-vulnerabilities-{hashlib.sha256(known).hexdigest()[:32]}"
    if is_fresh(stamp):
        say("No known vulnerabilities (checked less than 12 hours ago).")
        return 0
    packages = read_packages(locks)
    answers = ask(packages, Service(folder / "pip-audit", address, seconds))
    found = [line for answer in answers for line in describe(answer, accepted)]
    unchecked = [answer for answer in answers if answer.reason]
    report(packages, found, unchecked, address)
    if not found and not unchecked:
        stamp.touch()
    return FOUND if found else 0


def read_accepted(project: Path, today: dt.date) -> frozenset[str]:
    """Return the ids of the vulnerabilities that are accepted today."""
    tools = tomllib.loads(project.read_text(encoding="utf-8")).get("tool", {})
    entries = tools.get("vulnerabilities", {}).get("accepted", [])
    return frozenset(entry["id"] for entry in entries if entry["reason"] and today <= entry["expires"])


def is_fresh(stamp: Path) -> bool:
    """Return whether a check found nothing in the last hours."""
    try:
        return 0 <= time.time() - stamp.stat().st_mtime < FRESH
    except FileNotFoundError:
        return False


def read_packages(locks: Sequence[Path]) -> list[ResolvedDependency]:
    """Return the packages of the locks that are installed on this platform."""
    found = set(RequirementSource(locks, require_hashes=True, disable_pip=True).collect())
    packages = [package for package in found if isinstance(package, ResolvedDependency)]
    return sorted(packages, key=lambda package: (package.canonical_name, package.version))


def ask(packages: Sequence[ResolvedDependency], service: Service) -> list[Answer]:
    """Return an answer for each package. If the first ones are not answered, the others are not asked for."""
    with ThreadPoolExecutor(CONCURRENT) as pool:
        answers = list(pool.map(lambda package: ask_for(package, service), packages[:CONCURRENT]))
        rest = packages[CONCURRENT:]
        if all(answer.reason for answer in answers):
            return answers + [Answer(package, reason=answers[0].reason) for package in rest]
        return answers + list(pool.map(lambda package: ask_for(package, service), rest))


def ask_for(package: ResolvedDependency, service: Service) -> Answer:
    """Return what the service answers about a package. Raises what is no failure of the service."""
    try:
        [(answered, vulnerabilities)] = Auditor(service).audit(Pinned(package))
    except NotTheService as error:
        return Answer(package, reason=str(error))
    except (requests.RequestException, NoConnection) as error:
        return Answer(package, reason=f"no usable answer ({type(error).__name__})")
    except ServiceError as error:
        response = getattr(error.__cause__, "response", None)
        if response is None:
            raise
        return Answer(package, reason=f"it answers {response.status_code}")
    return Answer(package, vulnerabilities, "it answers 404, not found" if answered.is_skipped() else None)


def describe(answer: Answer, accepted: frozenset[str]) -> Iterator[str]:
    """Return a line for each vulnerability that is not accepted: package, version, ids, fixed versions."""
    for item in answer.vulnerabilities:
        if not item.has_any_id(set(accepted)):
            ids = ", ".join([item.id, *sorted(item.aliases)])
            fixed = ", ".join(map(str, item.fix_versions))
            where = f"fixed in {fixed}" if fixed else "no fixed version yet"
            yield f"{answer.package.canonical_name} {answer.package.version}: {ids}: {where}"


def report(
    packages: Sequence[ResolvedDependency], found: Sequence[str], unchecked: Sequence[Answer], address: str
) -> None:
    """Print the result."""
    for line in found:
        say(line)
    if found:
        say(f"{len(found)} known vulnerabilities: raise the versions, or accept an id (CONTRIBUTING.md).")
    if len(unchecked) == len(packages):
        say(f"NOT CHECKED: known vulnerabilities of {len(packages)} packages.")
        say(f"The service at {address} cannot be reached: {unchecked[0].reason}. {WHAT_TO_DO}")
    elif unchecked:
        say(f"NOT CHECKED: known vulnerabilities of {len(unchecked)} of {len(packages)} packages:")
        for package, _, reason in unchecked:
            say(f"  {package.canonical_name} {package.version}: {reason}")
        say(WHAT_TO_DO)
    elif not found:
        say(f"No known vulnerabilities in {len(packages)} packages.")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)  # noqa: T201 - it is a command


if __name__ == "__main__":
    sys.exit(main())
