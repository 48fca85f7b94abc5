"""``hrims sync``: exit codes, a live bar on a terminal, plain lines in a pipe, and what interrupts it."""

import os
import pty
import re
import signal
import subprocess
import threading
from pathlib import Path

import psycopg
import pytest

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.e2e.processes.product import HRIMS, TIMEOUT, Product, env_of, run, start, wait_until
from tests.support.fork_server import ForkedProcess
from tests.support.simulated import Simulator


class Typed:
    """A command on a terminal of its own. ``seen`` is all that it showed until now.

    It is forked, unless the test is about the process of the script.
    """

    def __init__(self, env: dict[str, str], *words: str, is_forked: bool = True) -> None:
        self.seen = ""
        ours, theirs = pty.openpty()
        self._terminal = ours
        env = {**env, "TERM": "xterm", "COLUMNS": "100"}
        self.process: subprocess.Popen[bytes]
        with os.fdopen(theirs, "r+b", buffering=0) as terminal:
            if is_forked:
                self.process = ForkedProcess("hrims", *words, env=env, stdin=terminal, stdout=terminal)
            else:
                self.process = subprocess.Popen(
                    [HRIMS, *words],
                    env=env,
                    stdin=terminal,
                    stdout=terminal,
                    stderr=terminal,
                    start_new_session=True,
                )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                self.seen += os.read(self._terminal, 4096).decode(errors="replace")
            except OSError:  # Linux' way to say that the other end is closed
                return

    def wait_for_text(self, pattern: str) -> None:
        """Wait until the terminal shows it."""
        wait_until(lambda: re.search(pattern, self.seen), lambda: self.seen)

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(TIMEOUT)
        self._reader.join(TIMEOUT)
        os.close(self._terminal)
        return code


def test_by_vote_code_and_by_tin_with_plain_lines_in_a_pipe(shared: Product) -> None:
    first = shared.hrims("sync", "--vote", "005", "--page-size", "50")
    assert first.returncode == 0, first.stderr
    requested, message, sums = first.stdout.splitlines()
    assert re.fullmatch(r"Run \d+ for WIZARA YA MAENDELEO YA JAMII.* is queued\.", requested)
    assert message == "Complete: all 480 that HRIMS lists are accounted for."
    assert re.match(r"\d+ people: \d+ new, 0 changed, \d+ unchanged; ", sums)
    assert "\x1b" not in first.stderr + first.stdout
    for line in first.stderr.splitlines():
        assert re.fullmatch(r"(waiting|active): [\d,]+ of (\?|480) \(\d+ %\)|Waiting .*|Page .*", line), line
    again = shared.hrims("sync", "--tin", "187366946", "--page-size", "500")
    assert again.returncode == 0, again.stderr
    assert " 0 new, 0 changed, " in again.stdout


def test_one_person_by_number(shared: Product) -> None:
    shared.hrims("sync", "--vote", "009", "--page-size", "100")
    with psycopg.connect(shared.dsn) as conn:
        ((zan_id, payroll),) = conn.execute(
            "SELECT zan_id, payroll_number FROM employees WHERE payroll_number IS NOT NULL LIMIT 1"
        ).fetchall()
    saved = "Complete: the HRIMS record of this person is saved."
    by_name = shared.hrims("sync", "--person", "-", stdin=zan_id)
    assert by_name.returncode == 0, by_name.stderr
    requested, message = by_name.stdout.splitlines()
    assert re.fullmatch(r"Run \d+ for one person is queued\.", requested)
    assert message == saved
    piped = shared.hrims("sync", "--person", "-", stdin=f"{payroll}\n")
    assert (piped.returncode, piped.stdout.splitlines()[-1]) == (0, saved)
    unknown = shared.hrims("sync", "--person", "-", stdin="99999999")
    assert unknown.returncode == 1
    assert "HRIMS has no employee with this ZanID or payroll number. Nothing was changed." in unknown.stdout
    told = "".join(one.stdout + one.stderr for one in (by_name, piped, unknown))
    assert not any(secret in told for secret in (zan_id, "99999999"))


def test_a_live_bar_on_a_terminal(shared: Product) -> None:
    shared.hold(vote="009", after=7)
    typed = Typed(shared.env(), "sync", "--vote", "009", "--page-size", "10")
    typed.wait_for_text(r"Active.*70/230")
    shared.release()
    assert typed.wait() == 0, typed.seen
    assert "\x1b[" in typed.seen
    assert "Complete: all 230" in typed.seen


def test_ctrl_c_while_watching_leaves_the_run_going(shared: Product) -> None:
    shared.hold(vote="010", after=5)
    typed = Typed(shared.env(), "sync", "--vote", "010", "--page-size", "10", is_forked=False)
    typed.wait_for_text(r"Active.*50/410")
    typed.process.send_signal(signal.SIGINT)
    assert typed.wait() == 130
    assert "was not cancelled. Repeat the command to watch it." in typed.seen
    assert "Traceback" not in typed.seen
    requested = shared.hrims("sync", "--vote", "010", "--no-wait")
    assert "is under way already." in requested.stdout
    shared.release()
    done = shared.hrims("sync", "--vote", "010")
    assert done.returncode == 0, done.stdout


def test_no_wait_only_queues(shared: Product) -> None:
    done = shared.hrims("sync", "--vote", "011", "--no-wait")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"Run \d+ for TAASISI YA NYARAKA NA KUMBUKUMBU is queued\.\n", done.stdout)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "Name one institution: --vote 037, or --tin"),
        (("--vote", "001", "--tin", "156255890"), 2, "Name one institution"),
        (("--vote", "001", "--person", "-"), 2, "Name one institution"),
        (("--person", "580330000"), 2, "on standard input: --person -"),
        (("--person=580330000",), 2, "on standard input: --person -"),
        (("--person", "-"), 1, "Give a ZanID or a payroll number as text"),
        (("--vote", "999"), 1, "No institution on the register has the vote code 999. Nothing was queued."),
        (
            ("--vote", "1"),
            1,
            "has the vote code 1. Nothing was queued. Did you mean 001, WIZARA YA AFYA?",
        ),
        (("--vote", "0001"), 1, "Did you mean 001, WIZARA YA AFYA?"),
        (("--vote", "999"), 1, "Nothing was queued.\n"),
        (("--tin", "000000000"), 1, "No institution on the register has the TIN 000000000."),
        (("--vote", "001", "--page-size", "0"), 2, "'--page-size': 0 is not in the range 1<=x<=500"),
        (("--vote", "001", "--page-size", "501"), 2, "'--page-size': 501 is not in the range 1<=x<=500"),
        (("--vote", "001", "--page-size", "abc"), 2, "'abc' is not a valid integer"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_refused(shared: Product, words: tuple[str, ...], code: int, told: str) -> None:
    done = shared.hrims("sync", *words)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert "580330000" not in done.stderr


def test_a_person_is_asked_for_on_a_terminal(shared: Product) -> None:
    typed = Typed(shared.env(), "sync", "--person", "-", "--no-wait")
    typed.wait_for_text("ZanID or payroll number: ")
    os.write(typed._terminal, b"580330000\n")
    assert typed.wait() == 0, typed.seen
    assert "for one person is queued." in typed.seen


def test_incomplete_and_failed_and_no_worker(dsn: str, state: Path, tmp_path: Path) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        importer.seed(conn, DEMO_REGISTER)
    with Simulator(sizes={"001": 60, "002": 60}, scale=0.05) as simulator:
        env = {
            **env_of(state),
            "DATABASE_URL": dsn,
            "HRIMS_BASE_URL": simulator.url,
            "HRIMS_ATTEMPTS": "1",
            "HRIMS_PROBE_PAUSE": "0.1",
        }
        waits = Typed(env, "sync", "--vote", "001", "--page-size", "20")
        waits.wait_for_text(
            r"No worker is running; the run waits\. Ctrl-C stops the waiting and keeps the run\."
        )
        waits.wait_for_text("hrims worker, or everything: make run")
        worker = start("worker", env=env, log=tmp_path / "worker.log")
        try:
            assert waits.wait() == 0, waits.seen
            simulator.fail("wrong_total", total=63)
            short = run("sync", "--vote", "001", "--page-size", "20", env=env)
            assert (short.returncode, "Incomplete: " in short.stdout) == (3, True), short.stdout
            simulator.control(down=True)
            down = Typed(env, "sync", "--vote", "002")
            down.wait_for_text("Waiting for HRIMS: circuit breaker open.")
            simulator.control(down=False, faults=[])
            assert down.wait() == 0, down.seen
            simulator.fail("body404", operation="204")
            failed = run("sync", "--vote", "002", env=env)
            assert (failed.returncode, "Failed: " in failed.stdout) == (1, True), failed.stdout
            assert "No employee was saved." in failed.stdout
        finally:
            worker.terminate()
            assert worker.wait(TIMEOUT) == 0


@pytest.mark.parametrize("state_of_run", ["waiting", "delayed", "active"])
@pytest.mark.parametrize("pool", [None, "unguja"])
def test_without_a_worker_it_waits_until_ctrl_c(
    dsn: str, state: Path, state_of_run: str, pool: str | None
) -> None:
    """A run that a worker left behind is in any state; only another worker takes it further."""
    env = {**env_of(state), "DATABASE_URL": dsn}
    with psycopg.connect(dsn, autocommit=True) as conn:
        importer.seed(conn, DEMO_REGISTER)
        conn.execute("UPDATE institutions SET pool = %s", (pool,))
        assert run("sync", "--vote", "001", "--no-wait", env=env).returncode == 0
        conn.execute("UPDATE runs SET state = %s, attempt = 1, started_at = now()", (state_of_run,))
        typed = Typed(env, "sync", "--vote", "001")
        which = f"worker of the pool {pool}" if pool else "worker"
        typed.wait_for_text(
            rf"No {which} is running; the run waits\. Ctrl-C stops the waiting and keeps the run\."
        )
        typed.process.send_signal(signal.SIGINT)
        assert typed.wait() == 130
        assert conn.execute("SELECT state FROM runs").fetchall() == [(state_of_run,)]


def test_the_database_restarts_while_it_watches(shared: Product) -> None:
    shared.hold(vote="012", after=5)
    typed = Typed(shared.env(), "sync", "--vote", "012", "--page-size", "10")
    typed.wait_for_text(r"Active.*50/350")
    postmaster = shared.pid_of("postgres -D")
    assert postmaster
    os.kill(postmaster, signal.SIGINT)
    typed.wait_for_text("The database is unavailable; waiting for it.")
    typed.wait_for_text("The database is back.")
    shared.release()
    assert typed.wait() == 0, typed.seen
    shared.wait_until_ready()
