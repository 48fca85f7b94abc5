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
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx

from hrims.config import PROJECT
from tests.served import free_port

PATIENCE = 120.0
"""Seconds after which what does not come fails a test. No test asserts a shorter time."""

HRIMS = str(Path(sys.executable).with_name("hrims"))

QUICK = {
    "HRIMS_BEAT_SECONDS": "0.5",
    "HRIMS_SILENT_SECONDS": "5",
    "HRIMS_STOP_SECONDS": "3",
    "HRIMS_PAGE_PAUSE": "0.05",
    "HRIMS_ATTEMPT_PAUSE": "0.1",
    "HRIMS_STARTS_PER_MINUTE": "1000",
}


def until(reached: Callable[[], Any], told: Callable[[], str] = str) -> Any:
    """Waits for what nobody is told of; returns it."""
    end = time.monotonic() + PATIENCE
    while not (found := reached()):
        assert time.monotonic() < end, f"waited {PATIENCE:.0f} s in vain\n{told()}"
        time.sleep(0.05)
    return found


def env_of(state: Path, port: int = 0) -> dict[str, str]:
    """The environment of an instance, with nothing of ours that would change it."""
    base = {name: value for name, value in os.environ.items() if not name.startswith(("HRIMS_", "MAKE"))}
    base.pop("DATABASE_URL", None)
    return {**base, **QUICK, "HRIMS_STATE_DIR": str(state), "PORT": str(port or free_port())}


def run(*words: str, env: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        [HRIMS, *words], env=env, input=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


@contextmanager
def state_folder() -> Iterator[Path]:
    """A state directory that root's database account can reach; nothing of it is left behind."""
    folder = Path(tempfile.mkdtemp(prefix="hrims-up-"))
    folder.chmod(0o711)
    state = folder / "state"
    try:
        yield state
    finally:
        for pid in processes_of(state):
            with suppress(ProcessLookupError):  # it may have ended by itself meanwhile
                os.kill(pid, signal.SIGKILL)
        until(lambda: not processes_of(state))
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
        return None  # it ended while we looked
    return None


class Product:
    """One ``hrims up``. ``said`` is all it has printed until now."""

    def __init__(self, state: Path, *command: str, **settings: str) -> None:
        self.state, self.port = state, int(settings.pop("PORT", "") or free_port())
        self.settings = settings
        self.said = ""
        self.process = subprocess.Popen(
            list(command) or [HRIMS, "up"],
            env=self.env(),
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def env(self) -> dict[str, str]:
        """The environment of a process of this instance."""
        return {**env_of(self.state, self.port), **self.settings}

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.said += line

    def until_said(self, words: str) -> str:
        """Waits for words; returns all that was said."""
        until(lambda: words in self.said or self._gone(), self.all_told)
        assert words in self.said, self.all_told()
        return self.said

    def _gone(self) -> bool:
        if self.process.poll() is not None:
            self._listener.join(PATIENCE)
            return True
        return False

    def up(self) -> "Product":
        """Waits until it says that it is up."""
        self.until_said("Ctrl-C stops all of it")
        return self

    @functools.cached_property
    def dsn(self) -> str:
        """The address of its database."""
        return self.hrims("db", "url").stdout.strip()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        """Whether everything works, by its own word."""
        try:
            return httpx.get(f"{self.address}/readyz", trust_env=False, timeout=10).status_code == 200
        except httpx.HTTPError:
            return False

    def until_ready(self) -> None:
        """Waits until everything works."""
        until(self.is_ready, self.all_told)

    def ended(self) -> int:
        """Waits for its end; returns the exit code."""
        code = self.process.wait(PATIENCE)
        self._listener.join(PATIENCE)
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Asks it to stop; returns the exit code."""
        self.process.send_signal(number)
        return self.ended()

    def processes(self) -> dict[int, str]:
        """Every process of this instance."""
        return processes_of(self.state)

    def pid_of(self, *words: str) -> int | None:
        """The eldest process with these words in its command line."""
        pids = [pid for pid, command in self.processes().items() if all(word in command for word in words)]
        return min(pids, key=_started, default=None)

    def hrims(self, *words: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of this instance to its end."""
        return run(*words, env={**self.env(), **settings}, stdin=stdin)

    def simulator(self, **behaviour: Any) -> None:
        """Changes the simulator's behaviour."""
        self._control("PUT", "", behaviour)

    def hold(self, **match: Any) -> None:
        """Lets the simulator hold requests, those after the first ``after``, until ``release()``."""
        self._control("POST", "/hold", match)

    def release(self) -> None:
        """Lets the simulator answer what it holds."""
        self._control("POST", "/release", {})

    def _control(self, method: str, path: str, body: dict[str, Any]) -> None:
        url = (self.state / "simulator.url").read_text().strip() + "/_control" + path
        answer = httpx.request(method, url, json=body, trust_env=False, timeout=PATIENCE)
        assert answer.status_code == 200, answer.text

    def sign_in(self, name: str, password: str) -> bool:
        """Whether somebody can sign in, through the page."""
        with httpx.Client(base_url=self.address, trust_env=False, timeout=PATIENCE) as browser:
            page = browser.get("/sign-in").text
            token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
            assert token, page
            form = {"name": name, "password": password, "csrf_token": token[1]}
            return browser.post("/sign-in", data=form).status_code == 303

    def all_told(self) -> str:
        """What it said and logged, for a test that fails."""
        logs = [f"--- {log.name}\n{log.read_text()[-2000:]}" for log in sorted(self.state.glob("log/*.log"))]
        return "\n".join([self.said, *logs, json.dumps(self.processes(), indent=1)])


def _started(pid: int) -> int:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return sys.maxsize
    return int(stat.rpartition(")")[2].split()[19])
