"""Start the project's programs from a process that has imported them: a fork takes milliseconds.

Input: requests on a Unix socket, one connection each. Output: on the same connection the id of the new
process, and its wait status when it has ended.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import runpy
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any

from tests import PROJECT

PRELOADED = (
    "hrims.worker",
    "hrims.cli.worker",
    "hrims.jobs.supervisor",
    "hrims.simulator",
    "procrastinate.cli",
    "rich.progress",
)

READS_SETTINGS = tuple(
    f"hrims.{name}"
    for name in (
        *("cli", "worker", "runs", "people", "schedules", "batches", "webhooks", "sync", "leavers"),
        *("rejects", "drift", "previews", "jobs"),
    )
)
"""Layers that read settings or draw a process id on import. A forked process imports them again."""

SCRIPTS = {"hrims": ("hrims.cli", "main"), "procrastinate": ("procrastinate.cli", "main")}
"""The function that each command of the virtual environment calls."""


class ForkedProcess(subprocess.Popen[bytes]):
    """A process that the fork server has started. It can be used like any other Popen without pipes.

    By default, its standard input is empty, and its errors go where its output goes.
    """

    def __init__(
        self,
        program: str,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path = PROJECT,
        stdin: IO[Any] | None = None,
        stdout: IO[Any],
        stderr: IO[Any] | None = None,
        start_new_session: bool = False,
    ) -> None:
        # Not the constructor of Popen, which would start a process itself.
        self.args = [program, *arguments]
        self.stdin = self.stdout = self.stderr = None
        self.returncode: Any = None
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(_start_server())
        request: dict[str, Any] = {
            "args": self.args,
            "env": dict(os.environ if env is None else env),
            "cwd": str(cwd),
            "umask": os.umask(0),
            "start_new_session": start_new_session,
        }
        os.umask(request["umask"])  # it cannot be read without being changed
        with ExitStack() as stack:
            stdin = stdin or stack.enter_context(Path(os.devnull).open("rb"))
            numbers = [file.fileno() for file in (stdin, stdout, stderr or stdout)]
            socket.send_fds(self._connection, [json.dumps(request).encode()], numbers)
        self.pid = self._receive()

    def poll(self) -> int | None:
        """Return the exit code, or None while the process runs."""
        return self._exit_code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end of the process. Return its exit code."""
        code = self._exit_code(timeout)
        if code is None:
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return code

    def _exit_code(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._connection], [], [], timeout)[0]:
            self.returncode = os.waitstatus_to_exitcode(self._receive())
            self._connection.close()
        code: int | None = self.returncode
        return code

    def _receive(self) -> int:
        data = self._connection.recv(4)
        assert len(data) == 4, "the fork server has ended"
        return int.from_bytes(data, "little")


def run(
    program: str,
    *arguments: str,
    env: Mapping[str, str],
    cwd: Path = PROJECT,
    stdin: str = "",
    timeout: float | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. Return its exit code and what it wrote."""
    with ExitStack() as stack:
        source, out, err = (stack.enter_context(tempfile.TemporaryFile("w+")) for _ in range(3))
        source.write(stdin)
        source.seek(0)
        process = ForkedProcess(program, *arguments, env=env, cwd=cwd, stdin=source, stdout=out, stderr=err)
        try:
            code = process.wait(timeout)
        except BaseException:
            process.kill()
            raise
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(process.args, code, out.read(), err.read())


def write_command(file: Path) -> None:
    """Write a script that runs ``hrims`` in a process of the fork server."""
    words = [sys.executable, "-I", "-S", str(Path(__file__).with_name("fork_client.py")), _start_server()]
    file.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    file.chmod(0o755)


@functools.cache
def _start_server() -> str:
    """Start the server of this process. Return its address. It ends with this process."""
    address = str(Path(tempfile.mkdtemp(prefix="hrims-fork-")) / "socket")
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.support.fork_server", address],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin
    assert server.stdout
    assert server.stdout.readline() == b"ready\n"
    atexit.register(_stop_server, server, Path(address))
    return address


def _stop_server(server: subprocess.Popen[bytes], address: Path) -> None:
    server.communicate()
    address.unlink()
    address.parent.rmdir()


def serve(address: str) -> None:
    """Fork a process for each request until standard input is closed."""
    for name in PRELOADED:
        importlib.import_module(name)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, _reap)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(100)
    gc.collect()
    gc.freeze()
    os.write(1, b"ready\n")
    os.dup2(2, 1)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _monitor(connection)
            return
        connection.close()


def _reap(*_: object) -> None:
    """Reap what has ended. Unlike ignored children, its CPU time counts."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _monitor(connection: socket.socket) -> None:
    """Fork the requested process and report its end. In the new process, return after its program."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    data, files, _, _ = socket.recv_fds(connection, 2**20, 3)
    if (pid := os.fork()) == 0:
        connection.close()
        _become(files, **json.loads(data))
        return
    for number in files:
        os.close(number)  # only the new process has the ends of its pipes
    connection.sendall(pid.to_bytes(4, "little"))
    status = os.waitpid(pid, 0)[1]
    connection.sendall(status.to_bytes(4, "little"))
    os._exit(0)


def _become(
    files: Sequence[int],
    args: list[str],
    env: dict[str, str],
    cwd: str,
    umask: int,
    *,
    start_new_session: bool = False,
) -> None:
    """Run a program in this process as if it had just been started."""
    os.umask(umask)
    if start_new_session:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for standard, number in enumerate(files):
        os.dup2(number, standard)
        os.close(number)
    sys.stdout.reconfigure(line_buffering=os.isatty(1))  # type: ignore[union-attr] # it is a TextIOWrapper
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    _forget_imports()
    program, *words = args
    if program == "python":
        sys.argv = words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        module, function = SCRIPTS[program]
        sys.argv = args
        getattr(importlib.import_module(module), function)()


def _forget_imports() -> None:
    for name in [name for name in sys.modules if name.startswith(READS_SETTINGS)]:
        del sys.modules[name]
        parent, _, child = name.rpartition(".")
        # Otherwise ``from hrims import worker`` finds the old module as an attribute of its package.
        if parent in sys.modules:
            vars(sys.modules[parent]).pop(child, None)


if __name__ == "__main__":
    serve(sys.argv[1])
