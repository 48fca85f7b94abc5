"""The commands that a person or a script types: what they print, their exit codes, what they refuse."""

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from click.testing import CliRunner

from hrims.cli import commands
from hrims.postgres import find_binaries
from tests.e2e.processes.product import HRIMS, TIMEOUT, Product, env_of, run, run_script, wait_until
from tests.support.command_line import call_refused, keep_logging
from tests.support.fork_server import ForkedProcess
from tests.support.simulated import PLAIN

HEAD = "name,vote_code,tin\n"


def rows(product: Product, sql: str) -> list[tuple[object, ...]]:
    """Return what a query returns."""
    with psycopg.connect(product.dsn) as conn:
        return conn.execute(sql.encode()).fetchall()


Refused = Callable[..., str]
"""Takes the words of a command and its standard input, returns what it prints on standard error."""


@pytest.fixture
def refused(
    shared: Product, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Refused]:
    """Call a command that is to fail without output, in this process: to start one takes a second."""
    # By its address: this process must not keep the embedded server up.
    env = {**shared.env(), "DATABASE_URL": shared.dsn}
    for name in set(os.environ) - set(env):
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)

    def call(*words: str, code: int = 1, stdin: str = "") -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        return call_refused(words, capsys, code)

    with keep_logging():
        yield call


def test_help_of_every_command_says_what_it_does(tmp_path: Path) -> None:
    env = env_of(tmp_path)
    top = run_script("--help", env=env).stdout
    assert run_script(env=env).stderr.strip() == top.strip()
    named = re.findall(r"^  (\w+) {2,}(\S.*)", top.partition("Commands:")[2], re.MULTILINE)
    assert [name for name, _ in named] == [
        "up", "migrate", "worker", "sync", "simulate", "user", "token", "institutions", "doctor",
        "trace", "audit", "db",
    ]  # fmt: skip
    for words in (*[[name] for name, _ in named], ["user", "add"], ["token", "add"], ["db", "url"]):
        told = CliRunner().invoke(commands, [*words, "--help"], prog_name="hrims")
        assert told.exit_code == 0, told.output
        assert told.output.lower().startswith(f"usage: hrims {' '.join(words)}")
    assert not list(tmp_path.iterdir()), "help starts nothing"


def test_help_and_version_load_no_database_driver() -> None:
    program = "import sys, hrims.cli; print({'psycopg', 'structlog', 'asyncio'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_what_is_no_command(tmp_path: Path) -> None:
    done = run_script("snyc", env=env_of(tmp_path))
    assert done.returncode == 2
    assert "No such command 'snyc'" in done.stderr


def test_db_url_is_an_address_that_psql_and_psycopg_take(shared: Product) -> None:
    done = shared.hrims("db", "url")
    assert done.stderr == ""
    url = done.stdout.strip()
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT current_user, current_database()").fetchone() == ("hrims", "hrims")
    psql = subprocess.run(
        [find_binaries() / "psql", url, "-Atc", "SELECT 42"], capture_output=True, text=True, check=False
    )
    assert psql.stdout.strip() == "42", psql.stderr


def test_db_url_of_a_database_that_is_given(state: Path) -> None:
    url = "postgresql://asha@db.example/hrims?sslmode=require"
    done = run("db", "url", env={**env_of(state), "DATABASE_URL": url})
    assert (done.stdout, done.stderr, done.returncode) == (f"{url}\n", "", 0)


def test_migrate_twice_and_two_at_the_same_time(state: Path) -> None:
    env = env_of(state)
    both = [
        subprocess.Popen(
            [HRIMS, "migrate"], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [one.communicate(timeout=120) for one in both]
    assert [one.returncode for one in both] == [0, 0], told
    assert sum("applied 0013_views.sql" in out for out, _ in told) == 1
    again = run("migrate", env=env)
    assert (again.returncode, again.stdout) == (0, "The database is up to date.\n")
    url = run("db", "url", env=env)
    assert url.stderr == "This database runs while HRIMS Sync does. Start it: hrims up\n"


def test_migrate_says_who_holds_the_lock_that_it_waits_for(dsn: str, state: Path, tmp_path: Path) -> None:
    env = {**env_of(state), "DATABASE_URL": dsn}
    said = tmp_path / "said"
    with psycopg.connect(dsn, application_name="notebook") as analyst:
        views = analyst.execute("SELECT viewname FROM pg_views WHERE schemaname = 'public'").fetchall()
        analyst.execute(f"DROP VIEW {', '.join(name for (name,) in views)} CASCADE".encode())
        analyst.execute("DELETE FROM schema_migrations WHERE name = '0013_views.sql'")
        analyst.commit()
        analyst.execute("LOCK TABLE employees")
        with said.open("wb") as out, Path(os.devnull).open("wb") as errors:
            migrating = ForkedProcess("hrims", "migrate", env=env, stdout=out, stderr=errors)
        line = f"0013_views.sql waits for a lock, held by process {analyst.info.backend_pid} (notebook, user "
        wait_until(lambda: migrating.poll() is not None or said.read_text().startswith(line), said.read_text)
        analyst.rollback()
        assert migrating.wait(TIMEOUT) == 0
    assert said.read_text().endswith("\napplied 0013_views.sql\n1 applied.\n")


def test_a_user_is_added_once_signs_in_and_gets_another_password(shared: Product) -> None:
    words = ("user", "add", "Zuwena", "--role", "auditor", "--password-stdin")
    added = shared.hrims(*words, stdin="first-monsoon\n")
    assert added.returncode == 0, added.stderr
    assert added.stdout == "zuwena may sign in as auditor, for all institutions.\n"
    assert shared.sign_in("zuwena", "first-monsoon")
    twice = shared.hrims(*words, stdin="other-monsoon\n")
    assert (twice.returncode, twice.stdout) == (1, "")
    assert "There is a user zuwena already. Nothing was changed." in twice.stderr
    assert "Traceback" not in twice.stderr
    reset = shared.hrims("user", "reset-password", "zuwena", "--password-stdin", stdin="other-monsoon")
    assert (reset.returncode, reset.stdout) == (0, "zuwena has another password.\n"), reset.stderr
    assert shared.sign_in("zuwena", "other-monsoon")
    assert not shared.sign_in("zuwena", "first-monsoon")


@pytest.mark.parametrize(
    ("words", "stdin", "code", "told"),
    [
        (
            ("user", "add", "asha", "--role", "officer", "--password-stdin"),
            "short",
            1,
            "12 to 256 characters",
        ),
        (("user", "add", "asha", "--role", "officer", "--password-stdin"), "", 1, "12 to 256 characters"),
        (("user", "add", "asha", "--role", "officer"), "", 1, "with --password-stdin"),
        (
            ("user", "add", "a b", "--role", "officer", "--password-stdin"),
            "a dry monsoon",
            1,
            "A name has 1 to 64",
        ),
        (
            ("user", "add", "asha", "--role", "king", "--password-stdin"),
            "a dry monsoon",
            2,
            "'king' is not one of",
        ),
        (
            ("user", "reset-password", "unknown", "--password-stdin"),
            "a dry monsoon",
            1,
            "There is no user of this name",
        ),
        (("token", "add", " "), "", 1, "A token's name has 1 to 64"),
        (("token", "add"), "", 2, "Missing argument 'NAME'"),
        (("institutions", "import", "/nowhere.csv"), "", 2, "File '/nowhere.csv' does not exist."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_refused(refused: Refused, words: tuple[str, ...], stdin: str, code: int, told: str) -> None:
    assert told in " ".join(refused(*words, stdin=stdin, code=code).split())


def test_a_token_is_printed_alone_and_signs_a_machine_in(shared: Product) -> None:
    done = shared.hrims("token", "add", "warehouse")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"hrims_\S{43}\n", done.stdout)
    url = f"{shared.address}/api/hrims/institutions"
    headers = {"Authorization": f"Bearer {done.stdout.strip()}"}
    assert httpx.get(url, headers=headers, trust_env=False, verify=PLAIN).status_code == 200
    assert (
        httpx.get(url, headers={"Authorization": "Bearer hrims_x"}, trust_env=False, verify=PLAIN).status_code
        == 401
    )


def test_a_register_is_imported_once(shared: Product, tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text(HEAD + "Taasisi ya Majaribio,8001,\nTaasisi ya Pili,,980000001\n", encoding="utf-8-sig")
    first = shared.hrims("institutions", "import", str(file))
    assert (first.returncode, first.stdout) == (0, "2 institutions read, 2 added or changed.\n"), first.stderr
    again = shared.hrims("institutions", "import", str(file))
    assert again.stdout == "2 institutions read, 0 added or changed.\n"
    file.write_text(HEAD + "TAASISI YA PILI.,,980000002\n")
    assert shared.hrims("institutions", "import", str(file)).stdout == (
        "1 institution read, 1 added or changed.\n"
        "changed: Taasisi ya Pili (vote code none, TIN 980000001) is now "
        "TAASISI YA PILI. (vote code none, TIN 980000002)\n"
    )
    stored = rows(
        shared, "SELECT name, vote_code, tin FROM institutions WHERE name ~* '^taasisi ya (maj|pili)'"
    )
    assert sorted(stored, key=str) == [
        ("TAASISI YA PILI.", None, "980000002"),
        ("Taasisi ya Majaribio", "8001", None),
    ]


BAD_FILES = {
    "a bad line": (HEAD.encode() + b"A,8101,\nB,81O2,\n", "line 3: a vote code is 1 to 10 digits"),
    "another's vote code": (
        HEAD.encode() + b"A,8101,\nB,001,\n",
        "line 3: the vote code 001 is that of WIZARA YA AFYA",
    ),
    "another's TIN": (
        HEAD.encode() + b"A,8101,\nB,,156255890\n",
        "line 3: the TIN 156255890 is that of WIZARA YA AFYA",
    ),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_register_changes_nothing(shared: Product, refused: Refused, tmp_path: Path, kind: str) -> None:
    content, words = BAD_FILES[kind]
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    message = refused("institutions", "import", str(file))
    assert words in message
    assert "Nothing was imported." in message
    assert rows(shared, "SELECT count(*) FROM institutions WHERE vote_code LIKE '81%'") == [(0,)]
