"""The check for known vulnerabilities, against a server that answers as PyPI's service does."""

import datetime as dt
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pip_audit._service.interface import ServiceError
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests import PROJECT
from tests.support import vulnerabilities
from tests.support.vulnerabilities import BROKEN, FOUND, VARIABLE

HASH = f"--hash=sha256:{'0' * 64}"
NAMES = [f"invented-{number}" for number in range(12)]
WEAK = "invented-11"
TODAY = dt.date(2026, 12, 1)

Run = Callable[..., tuple[int, str]]


def weakness(identifier: str = "PYSEC-2026-1", *aliases: str, **more: Any) -> dict[str, Any]:
    """Return a vulnerability as PyPI states it."""
    words = {"details": "An invented weakness.", "summary": None, "withdrawn": None}
    return {"id": identifier, "aliases": list(aliases), "fixed_in": ["1.2.1"], **words, **more}


@pytest.fixture(scope="module")
def started() -> Iterator[HTTPServer]:
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def server(started: HTTPServer) -> HTTPServer:
    started.clear()
    return started


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    file = tmp_path / "requirements.lock"
    file.write_text("".join(f"{name}==1.2.0 \\\n    {HASH}\n" for name in NAMES))
    return file


@pytest.fixture
def run(lock: Path, tmp_path: Path, server: HTTPServer, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(address: str = server.url_for("/"), accepted: frozenset[str] = frozenset()) -> tuple[int, str]:
        code = vulnerabilities.run([lock], folder=tmp_path, accepted=accepted, address=address, seconds=0.5)
        return code, capsys.readouterr().out

    return call


def serve(
    server: HTTPServer, found: dict[str, list[dict[str, Any]]], unknown: frozenset[str] = frozenset()
) -> None:
    """Let the server answer for each package, as PyPI does."""
    for name in set(NAMES) - unknown:
        body = {"info": {"name": name}, "urls": [], "vulnerabilities": found.get(name, [])}
        server.expect_request(f"/pypi/{name}/1.2.0/json").respond_with_json(body)
    for name in unknown:
        server.expect_request(f"/pypi/{name}/1.2.0/json").respond_with_json(
            {"message": "Not Found"}, status=404
        )


def test_nothing_is_known(run: Run, server: HTTPServer) -> None:
    serve(server, {})
    assert run() == (0, "No known vulnerabilities in 12 packages.\n")
    assert len(server.log) == len(NAMES)


def test_a_vulnerability_fails_with_package_version_id_and_fix(run: Run, server: HTTPServer) -> None:
    serve(server, {WEAK: [weakness("PYSEC-2026-1", "CVE-2026-1234"), weakness("GHSA-xx", "CVE-2026-1234")]})
    code, text = run()
    assert code == FOUND
    assert "invented-11 1.2.0: PYSEC-2026-1, CVE-2026-1234, GHSA-xx: fixed in 1.2.1\n1 known" in text
    assert "NOT CHECKED" not in text


def test_without_a_fixed_version_it_fails_too(run: Run, server: HTTPServer) -> None:
    serve(server, {WEAK: [weakness(fixed_in=[])]})
    code, text = run()
    assert (code, "no fixed version yet" in text) == (FOUND, True)


def test_a_withdrawn_one_is_none(run: Run, server: HTTPServer) -> None:
    serve(server, {WEAK: [weakness(withdrawn="2026-11-01T00:00:00Z")]})
    assert run()[0] == 0


def test_an_accepted_one_passes_until_it_expires(run: Run, server: HTTPServer, tmp_path: Path) -> None:
    serve(server, {WEAK: [weakness("PYSEC-2026-1", "CVE-2026-1234")]})
    project = tmp_path / "pyproject.toml"
    entry = 'id = "CVE-2026-1234"\nreason = "we do not call it"\nexpires = 2026-12-01\n'
    project.write_text(f"[[tool.vulnerabilities.accepted]]\n{entry}")
    assert run(accepted=vulnerabilities.read_accepted(project, TODAY))[0] == 0
    assert run(accepted=vulnerabilities.read_accepted(project, TODAY + dt.timedelta(days=1)))[0] == FOUND


def test_a_reason_and_a_date_are_required(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text('[[tool.vulnerabilities.accepted]]\nid = "CVE-2026-1234"\n')
    with pytest.raises(KeyError):
        vulnerabilities.read_accepted(project, TODAY)


def test_what_this_project_accepts_is_readable() -> None:
    vulnerabilities.read_accepted(PROJECT / "pyproject.toml", TODAY)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_a_closed_port_is_a_message_and_no_failure(run: Run) -> None:
    code, text = run(address=closed_port())
    assert code == 0
    assert "NOT CHECKED: known vulnerabilities of 12 packages.\n" in text
    assert "cannot be reached: no usable answer (ConnectionError). Run `make check` where" in text
    assert "No known vulnerabilities" not in text


def test_a_name_that_does_not_resolve_is_the_same(run: Run) -> None:
    code, text = run(address="http://service.invalid")
    assert (code, "NOT CHECKED" in text) == (0, True)


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (Response("busy", 503), "it answers 503"),
        (Response("forbidden by the proxy", 403), "it answers 403"),
        (Response("no such page", 404), "it answers 404"),
        (Response("<html>Sign in to this network</html>", 200), "no usable answer (JSONDecodeError)"),
        (Response('{"info": {}}', 200), "no list of vulnerabilities"),
        (Response("[]", 200), "no list of vulnerabilities"),
        (Response("", 302, {"Location": "/"}), "no usable answer (ConnectionError)"),
    ],
    ids=["busy", "proxy", "not found", "sign-in page", "mirror without", "another document", "redirects"],
)
def test_an_answer_of_something_else_is_not_taken_for_no_vulnerability(
    run: Run, server: HTTPServer, response: Response, reason: str
) -> None:
    server.expect_request("/").respond_with_response(response)
    server.expect_request("/pypi/").respond_with_response(response)
    for name in NAMES:
        server.expect_request(f"/pypi/{name}/1.2.0/json").respond_with_response(response)
    code, text = run()
    assert code == 0
    assert "NOT CHECKED: known vulnerabilities of 12 packages.\n" in text
    assert reason in text


def test_a_silent_server_is_asked_for_the_first_packages_only(run: Run, server: HTTPServer) -> None:
    asked: list[str] = []
    end = Event()

    def never(request: Request) -> Response:
        asked.append(request.path)
        end.wait(60)
        return Response("", 503)

    for name in NAMES:
        server.expect_request(f"/pypi/{name}/1.2.0/json").respond_with_handler(never)
    code, text = run()
    end.set()
    assert (code, len(asked)) == (0, vulnerabilities.CONCURRENT)
    assert "no usable answer (ReadTimeout)" in text


def test_one_package_that_the_service_does_not_know_is_named(run: Run, server: HTTPServer) -> None:
    serve(server, {}, unknown=frozenset({"invented-3"}))
    code, text = run()
    assert code == 0
    assert (
        "NOT CHECKED: known vulnerabilities of 1 of 12 packages:\n  invented-3 1.2.0: it answers 404" in text
    )


def test_a_vulnerability_fails_although_others_are_not_answered(run: Run, server: HTTPServer) -> None:
    serve(server, {"invented-0": [weakness()]}, unknown=frozenset(NAMES[1:]))
    code, text = run()
    assert (code, "NOT CHECKED: known vulnerabilities of 11 of 12" in text) == (FOUND, True)


def test_a_clean_result_is_kept_until_the_lock_changes(run: Run, server: HTTPServer, lock: Path) -> None:
    serve(server, {})
    run()
    server.clear_log()
    assert run() == (0, "No known vulnerabilities (checked less than 12 hours ago).\n")
    assert server.log == []
    lock.write_text(lock.read_text().partition("invented-11")[0])
    assert run() == (0, "No known vulnerabilities in 11 packages.\n")


@pytest.mark.parametrize("age", [vulnerabilities.FRESH + 60, -3600], ids=["old", "of the future"])
def test_a_result_of_another_day_is_not_kept(run: Run, server: HTTPServer, tmp_path: Path, age: int) -> None:
    serve(server, {})
    run()
    [stamp] = tmp_path.glob("no-vulnerabilities-*")
    then = dt.datetime.now(dt.UTC).timestamp() - age
    os.utime(stamp, (then, then))
    assert run() == (0, "No known vulnerabilities in 12 packages.\n")


def test_only_a_clean_and_whole_result_is_kept(run: Run, server: HTTPServer, tmp_path: Path) -> None:
    run(address=closed_port())
    serve(server, {WEAK: [weakness()]}, unknown=frozenset({"invented-3"}))
    run()
    assert list(tmp_path.glob("no-vulnerabilities-*")) == []


def test_an_unreadable_answer_is_neither_found_nor_clean(run: Run, server: HTTPServer) -> None:
    serve(server, {WEAK: [weakness(fixed_in=["no version"])]})
    with pytest.raises(ServiceError, match="malformed version"):
        run()


def test_a_lock_without_hashes_breaks_the_check(run: Run, lock: Path) -> None:
    lock.write_text("invented-1==1.2.0\n")
    with pytest.raises(Exception, match="does not contain a hash"):
        run()


def test_the_command_says_that_it_is_broken(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pyproject.toml").write_text("[[tool.vulnerabilities.accepted]]\n")
    monkeypatch.setattr(vulnerabilities, "PROJECT", tmp_path)
    assert vulnerabilities.main() == BROKEN
    assert capsys.readouterr().out.endswith("does not work: see above.\n")


PROGRAM = """
import sys
from pathlib import Path
from tests.support import vulnerabilities

lock, folder, address = sys.argv[1:]
sys.exit(vulnerabilities.run([Path(lock)], folder=Path(folder), accepted=frozenset(), address=address))
"""


def test_processes_that_share_a_folder_do_not_disturb_each_other(
    server: HTTPServer, lock: Path, tmp_path: Path
) -> None:
    serve(server, {WEAK: [weakness()]})
    command = [sys.executable, "-c", PROGRAM, str(lock), str(tmp_path), server.url_for("/")]
    started = [subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE) for _ in range(3)]
    texts = {process.communicate(timeout=60)[0].decode() for process in started}
    assert [process.returncode for process in started] == [FOUND, FOUND, FOUND]
    [text] = texts
    assert text.startswith("invented-11 1.2.0: PYSEC-2026-1: fixed in 1.2.1\n")


def test_the_command_takes_another_service_from_its_environment() -> None:
    env = {**os.environ, VARIABLE: closed_port()}
    command = [sys.executable, "-m", "tests.support.vulnerabilities"]
    done = subprocess.run(command, cwd=PROJECT, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "No known vulnerabilities (checked" in done.stdout or env[VARIABLE] in done.stdout
