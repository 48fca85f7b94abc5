"""Runs the unit tests against each mutant, in processes that are forked from one pytest session.

Input: modules. Output: the result of each mutant. Every test runs once, and records which statements it
reaches. For a mutant, only the tests that reach it run, the quickest first, until one fails.
"""

import ast
import os
import resource
import signal
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.mutation.modules import ImportFailedError, Place, Recorder, insert
from tests.mutation.mutants import FUNCTIONS, Mutant, find_mutants

PROCESSES: Final = 2
"""Mutants that run at the same time."""

MIN_SECONDS: Final = 2
"""Seconds of CPU time that a mutant has for each test, beside four times what the test took without it."""

MEMORY: Final = 2**30
"""Bytes that a mutant may use."""

SURVIVED, KILLED, BROKEN = 0, 1, 2
"""Exit codes of the process of a mutant. A mutant is broken if it cannot be inserted: that is an error."""


class Result(NamedTuple):
    """A mutant of a module, the number of tests that reach it, and the exit code of its process."""

    module: str
    mutant: Mutant
    tests: int
    code: int

    @property
    def is_timeout(self) -> bool:
        """Whether the mutant used up its CPU time: it is noticed, because the suite would hang."""
        return self.code == -signal.SIGXCPU

    @property
    def is_killed(self) -> bool:
        """Whether a test noticed the mutant."""
        return self.code == KILLED or self.is_timeout


class MutationRun:
    """A plugin of pytest. It runs every test once, and then the mutants."""

    def __init__(self, paths: dict[str, Path], report: Callable[[Result], None]) -> None:
        """Take the modules to mutate, by their names, and what gets each result."""
        self._report = report
        self.results: list[Result] = []
        self.failed: list[str] = []
        """The tests that fail without a mutant."""
        self._trees = {name: ast.parse(path.read_text(), str(path)) for name, path in paths.items()}
        self._recorder = Recorder(paths)
        self._seconds: dict[pytest.Item, float] = {}
        self._reaching: defaultdict[Place, set[pytest.Item]] = defaultdict(set)
        self._has_failed = self._is_mutant = False
        self._running: dict[int, tuple[str, Mutant, int]] = {}

    def pytest_collection(self) -> None:
        """Import the modules so that they record, and let Hypothesis draw the same examples every time."""
        # Not at the top: pytest rewrites the plugin, and refuses if it is imported before.
        from hypothesis import Phase, settings  # noqa: PLC0415

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutants", derandomize=True, database=None, deadline=None, phases=phases)
        settings.load_profile("mutants")
        sys.meta_path.insert(0, self._recorder)

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests, and then the mutants."""
        imported = frozenset(self._recorder.reached)
        for item, following in zip(session.items, [*session.items[1:], None], strict=True):
            self._record(item, following)
        for name, line in imported:
            # What an import reaches, every test of the module reaches.
            self._reaching[name, line] |= self._tests_at(name, range(sys.maxsize))
        for name, tree in self._trees.items():
            for mutant in find_mutants(tree):
                tests = self._tests_of(name, mutant)
                is_async = any(isinstance(node, ast.AsyncFunctionDef) for node in mutant.scope)
                # An asynchronous function that no unit test reaches waits for a database or for HRIMS.
                if tests or not is_async:
                    self._start(name, mutant, tests)
        while self._running:
            self._wait()
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure. It kills a mutant."""
        if report.failed and self._is_mutant:
            os._exit(KILLED)
        self._has_failed |= report.failed

    def _record(self, item: pytest.Item, following: pytest.Item | None) -> None:
        """Run a test, and note its CPU time and what it reaches."""
        self._has_failed, before = False, time.process_time()
        self._recorder.reached.clear()
        self._run(item, following)
        self._seconds[item] = time.process_time() - before
        if self._has_failed:
            self.failed.append(item.nodeid)
            return
        for place in self._recorder.reached:
            self._reaching[place].add(item)

    def _run(self, item: pytest.Item, following: pytest.Item | None = None) -> None:
        for name in self._trees:
            for value in vars(sys.modules[name]).values() if name in sys.modules else ():
                if clear := getattr(value, "cache_clear", None):
                    clear()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)

    def _start(self, name: str, mutant: Mutant, tests: list[pytest.Item]) -> None:
        """Run these tests against a mutant, in a new process."""
        if len(self._running) == PROCESSES:
            self._wait()
        if child := os.fork():
            self._running[child] = name, mutant, len(tests)
            return
        try:
            self._run_mutant(name, mutant, tests)
        except ImportFailedError:
            os._exit(KILLED)
        except BaseException:  # noqa: BLE001 - no exception may return to the loop of the parent
            traceback.print_exc()
            os._exit(BROKEN)
        os._exit(SURVIVED)

    def _run_mutant(self, name: str, mutant: Mutant, tests: Iterable[pytest.Item]) -> None:
        insert(name, self._trees[name], mutant)
        self._is_mutant = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        for item in tests:
            end = round(time.process_time() + MIN_SECONDS + 4 * self._seconds[item])
            resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
            self._run(item)

    def _tests_of(self, name: str, mutant: Mutant) -> list[pytest.Item]:
        """Return the tests that reach a mutant, the quickest first."""
        tests = self._tests_at(name, _lines_of(mutant))
        if not any(isinstance(node, FUNCTIONS) for node in mutant.scope):
            # A test that reads a constant reaches no line of its module.
            tests |= {item for item in self._seconds if _reads_module(item, name)}
        return sorted(tests, key=lambda item: (self._seconds[item], item.nodeid))

    def _tests_at(self, name: str, lines: range) -> set[pytest.Item]:
        tests = set[pytest.Item]()
        for (module, line), items in self._reaching.items():
            if module == name and line in lines:
                tests |= items
        return tests

    def _wait(self) -> None:
        """Wait for a mutant to end."""
        child, status = os.wait()
        result = Result(*self._running.pop(child), os.waitstatus_to_exitcode(status))
        self.results.append(result)
        self._report(result)


def _reads_module(item: pytest.Item, name: str) -> bool:
    """Return whether the module of a test has imported something that belongs to module ``name``."""
    imported = vars(getattr(item, "module", item)).items()
    mutated = vars(sys.modules.get(name, item))
    return any(value is mutated.get(key) and value is not None for key, value in imported if key[0].isupper())


def _lines_of(mutant: Mutant) -> range:
    """Return the lines of which a test must reach one: for a default its function, for a constant any."""
    statement = mutant.scope[-1]
    function = next((node for node in mutant.scope if isinstance(node, FUNCTIONS)), None)
    if function is None:
        return range(sys.maxsize)
    last = function.end_lineno if statement is function else None
    return range(statement.lineno, (last or statement.lineno) + 1)


def run(paths: dict[str, Path], tests: list[str], report: Callable[[Result], None]) -> MutationRun:
    """Run the mutants of these modules, which are given by their names, against these tests."""
    finished = MutationRun(paths, report)
    options = ["-q", "-p", "no:cacheprovider", "-o", "timeout=60", "--show-capture=no", "--tb=no", "-s"]
    pytest.main([*options, *tests], plugins=[finished])
    return finished
