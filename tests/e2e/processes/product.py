"""The product as a person starts it: ``hrims up`` in a folder of its own comes up; what it printed and
which processes belong to it go out.
"""

import functools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from tests import PROJECT
from tests.support import fork_server
from tests.support.fork_server import ForkedProcess
from tests.support.served import free_port
from tests.support.shared import memory_folder
from tests.support.simulated import PLAIN

TIMEOUT = 120.0
"""Seconds after which what does not come fails a test. No test asserts a shorter time."""

HRIMS = Path(sys.executable).with_name("hrims")

QUICK = {
    "HRIMS_BEAT_SECONDS": "0.5",
    "HRIMS_SILENT_SECONDS": "5",
    "HRIMS_STOP_SECONDS": "3",
    "HRIMS_PAGE_PAUSE": "0.05",
    "HRIMS_ATTEMPT_PAUSE": "0.1",
    "HRIMS_STARTS_PER_MINUTE": "1000",
}


def wait_until(reached: Callable[[], Any], describe: Callable[[], str] = str) -> Any:
    """Poll until the function returns a value and return it."""
    end = time.monotonic() + TIMEOUT
    while not (found := reached()):
        assert time.monotonic() < end, f"waited {TIMEOUT:.0f} s in vain\n{describe()}"
        time.sleep(0.05)
    return found


def env_of(state: Path, port: int = 0) -> dict[str, str]:
    """Return the environment of an instance, with nothing of ours that would change it."""
    base = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HRIMS_", "MAKE", "PYTHONDONT"))
    }
    base.pop("DATABASE_URL", None)
    return {**base, **QUICK, "HRIMS_STATE_DIR": str(state), "PORT": str(port or free_port())}


def run(
    *words: str, env: dict[str, str], stdin: str = "", script: Path = HRIMS, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command and wait for its end. That of the checkout is forked, which takes milliseconds."""
    if script == HRIMS and "PYTHONPATH" not in env:
        return fork_server.run("hrims", *words, env=env, cwd=cwd or PROJECT, stdin=stdin, timeout=TIMEOUT)
    return run_script(*words, env=env, stdin=stdin, script=script, cwd=cwd)


def run_script(
    *words: str, env: dict[str, str], stdin: str = "", script: Path = HRIMS, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command as a user does, with a Python that starts, and wait for its end."""
    return subprocess.run(
        [script, *words],
        env=env,
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


def start(*words: str, env: dict[str, str], log: Path) -> ForkedProcess:
    """Start a command in a forked process, which writes to a log."""
    with log.open("wb") as output:
        return ForkedProcess("hrims", *words, env=env, stdout=output)


@contextmanager
def state_folder() -> Iterator[Path]:
    """Provide a state directory that root's database account can reach; nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="hrims-up-", dir=memory_folder()))
    folder.chmod(0o711)
    state = folder / "state"
    try:
        yield state
    finally:
        for pid in processes_of(state):
            with suppress(ProcessLookupError):  # it may have ended meanwhile
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not processes_of(state))
        shutil.rmtree(folder, ignore_errors=True)


def processes_of(state: Path) -> dict[int, str]:
    """Every process that has this state directory in its environment, command line or folder."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            command = _belongs(entry, os.fsencode(state))
            if command is not None:
                found[int(entry.name)] = command
    return found


def _belongs(entry: Path, state: bytes) -> str | None:
    try:
        command = (entry / "cmdline").read_bytes()
        texts = command, (entry / "environ").read_bytes(), os.fsencode((entry / "cwd").readlink())
        if command and any(state in text for text in texts):
            return command.replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None  # it has ended meanwhile
    return None


def copy_state(template: Path, state: Path) -> Path:
    """Copy a state directory with the owners of its files. Return the copy."""
    subprocess.run(["cp", "-a", template, state], check=True)
    return state


class Product:
    """One ``hrims up``. ``output`` is what it has printed until now."""

    script = HRIMS
    """The ``hrims`` of the installation that is tested."""

    cwd = PROJECT
    """The current directory of its processes."""

    def __init__(self, state: Path, *command: str, **settings: str) -> None:
        self.state, self.port = state, int(settings.pop("PORT", "") or free_port())
        self.settings = settings
        self.output = ""
        self.process = subprocess.Popen(
            list(command) or [str(self.script), "up"],
            env=self.env(),
            cwd=self.cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def env(self) -> dict[str, str]:
        """Return the environment of a process of this instance."""
        return {**env_of(self.state, self.port), **self.settings}

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.output += line

    def wait_for_output(self, words: str) -> str:
        """Wait until it has printed these words. Return its output."""
        wait_until(lambda: words in self.output or self._has_ended(), self.describe_state)
        assert words in self.output, self.describe_state()
        return self.output

    def _has_ended(self) -> bool:
        if self.process.poll() is not None:
            self._listener.join(TIMEOUT)
            return True
        return False

    def up(self) -> "Product":
        """Wait until it says that it is up."""
        self.wait_for_output("Ctrl-C stops all of it")
        return self

    @functools.cached_property
    def dsn(self) -> str:
        """The DSN of its database."""
        return self.hrims("db", "url").stdout.strip()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Return whether ``/readyz`` reports that everything works."""
        try:
            answer = httpx.get(f"{self.address}/readyz", trust_env=False, verify=PLAIN, timeout=10)
        except httpx.HTTPError:
            return False
        return answer.status_code == 200 and bool(answer.json()["worker"])

    def wait_until_ready(self) -> None:
        """Wait until everything works."""
        wait_until(self.is_ready, self.describe_state)

    def wait(self) -> int:
        """Wait for its end; return the exit code."""
        code = self.process.wait(TIMEOUT)
        self._listener.join(TIMEOUT)
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop. Return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def processes(self) -> dict[int, str]:
        """Return every process of this instance."""
        return processes_of(self.state)

    def pid_of(self, *words: str) -> int | None:
        """Return the eldest process with these words in its command line."""
        pids = [pid for pid, command in self.processes().items() if all(word in command for word in words)]
        return min(pids, key=_started, default=None)

    def hrims(self, *words: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """Run a command of this instance to its end."""
        env = {**self.env(), **settings}
        return run(*words, env=env, stdin=stdin, script=self.script, cwd=self.cwd)

    def simulator(self, **behaviour: Any) -> None:
        """Change the simulator's behaviour."""
        self._control("PUT", "", behaviour)

    def hold(self, **match: Any) -> None:
        """Make the simulator hold requests after the first ``after``, until ``release()``."""
        self._control("POST", "/hold", match)

    def release(self) -> None:
        """Make the simulator answer the held requests."""
        self._control("POST", "/release", {})

    def _control(self, method: str, path: str, body: dict[str, Any]) -> None:
        url = (self.state / "simulator.url").read_text().strip() + "/_control" + path
        answer = httpx.request(method, url, json=body, trust_env=False, verify=PLAIN, timeout=TIMEOUT)
        assert answer.status_code == 200, answer.text

    def browser(self) -> httpx.Client:
        """Return a client that keeps cookies."""
        return httpx.Client(base_url=self.address, trust_env=False, verify=PLAIN, timeout=TIMEOUT)

    def sign_in(self, name: str, password: str, browser: httpx.Client | None = None) -> bool:
        """Sign in through the page; return whether the password was accepted."""
        with ExitStack() as stack:
            browser = browser or stack.enter_context(self.browser())
            page = browser.get("/sign-in").text
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
            assert token, page
            form = {"name": name, "password": password, "csrf_token": token[1]}
            return browser.post("/sign-in", data=form).status_code == 303

    def describe_state(self) -> str:
        """Return its output, its logs and its processes, for the message of a failed test."""
        logs = [f"--- {log.name}\n{log.read_text()[-2000:]}" for log in sorted(self.state.glob("log/*.log"))]
        return "\n".join([self.output, *logs, json.dumps(self.processes(), indent=1)])


def _started(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return sys.maxsize
    return int(stat.rpartition(")")[2].split()[19])
