"""``hrims token`` and ``hrims user``: who may sign in, as an operator reads and changes it."""

import re

import httpx
import pytest

from tests.e2e.processes.product import Product
from tests.support.simulated import PLAIN


def answer(shared: Product, token: str, method: str = "GET", path: str = "institutions") -> int:
    """Return the status with which the API answers this token."""
    url, headers = f"{shared.address}/api/hrims/{path}", {"Authorization": f"Bearer {token}"}
    return httpx.request(method, url, headers=headers, trust_env=False, verify=PLAIN, timeout=60).status_code


def line(listed: str, word: str) -> list[str]:
    """Return the cells of the row with this word in a list."""
    [found] = [row for row in listed.splitlines() if f" {word} " in f" {row} "]
    return re.split(r" {2,}", found.strip())


def test_a_token_is_listed_without_its_secret_and_revoked(shared: Product) -> None:
    token = shared.hrims("token", "add", "listed", "--days", "90").stdout.strip()
    heading, *_ = shared.hrims("token", "list").stdout.splitlines()
    columns = ["ID", "NAME", "SCOPE", "USER", "INST.", "CREATED", "LAST USED", "ENDS"]
    assert re.split(r" {2,}", heading) == columns
    assert line(shared.hrims("token", "list").stdout, "listed")[6] == "never"
    assert answer(shared, token) == 200
    listed = shared.hrims("token", "list").stdout
    id_, _, scope, user, institutions, created, used, ends = line(listed, "listed")
    assert (scope, user, institutions) == ("sync", "admin", "all")
    assert (used[:10], len(used)) == (created, len("2026-11-29 20:15"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", ends)
    assert token[10:] not in listed
    assert all(len(row) <= 80 for row in listed.splitlines())
    revoked = shared.hrims("token", "revoke", id_)
    assert (revoked.returncode, revoked.stdout) == (0, f"Token {id_}, listed, is revoked.\n"), revoked.stderr
    assert answer(shared, token) == 401
    assert " listed " not in shared.hrims("token", "list").stdout
    everyone = shared.hrims("token", "list", "--all").stdout
    assert line(everyone, "listed")[7].startswith("revoked ")
    assert all(len(row) <= 100 for row in everyone.splitlines())
    assert shared.hrims("token", "add", "twice").returncode == 0
    second = shared.hrims("token", "add", "twice")
    assert (second.returncode, second.stdout) == (1, "")
    assert "There is a token of this name already" in second.stderr
    again = shared.hrims("token", "revoke", "listed")
    assert (again.returncode, again.stdout) == (1, "")
    assert "There is no token of this name or number. Nothing was changed." in again.stderr


@pytest.mark.parametrize(("words", "status"), [((), 403), (("--scope", "manage"), 404)])
def test_a_token_manages_nothing_unless_that_is_said(
    shared: Product, words: tuple[str, ...], status: int
) -> None:
    token = shared.hrims("token", "add", f"scoped-{status}", *words).stdout.strip()
    assert answer(shared, token, "POST", "webhooks/9999/on") == status


def test_a_locked_user_is_unlocked(shared: Product) -> None:
    add = ("user", "add", "zainab", "--role", "officer", "--password-stdin", "--must-change")
    assert shared.hrims(*add, stdin="first-monsoon\n").returncode == 0
    for _ in range(7):
        assert not shared.sign_in("zainab", "wrong password")
    assert not shared.sign_in("zainab", "first-monsoon")
    done = shared.hrims("user", "unlock", "Zainab")
    assert done.stdout.startswith("zainab is unlocked; "), done.stderr
    assert shared.sign_in("zainab", "first-monsoon")


def test_a_disabled_person_is_out_at_once_and_comes_back(shared: Product) -> None:
    add = ("user", "add", "zuhura", "--role", "officer", "--password-stdin")
    assert shared.hrims(*add, stdin="first-monsoon\n").returncode == 0
    token = shared.hrims("token", "add", "hers", "--user", "zuhura").stdout.strip()
    assert shared.sign_in("zuhura", "first-monsoon")
    assert answer(shared, token) == 200
    assert line(shared.hrims("token", "list").stdout, "hers")[2:4] == ["sync", "zuhura"]
    disabled = shared.hrims("user", "disable", "Zuhura")
    assert disabled.stdout == "zuhura is disabled; 1 session and 1 token ended.\n", disabled.stderr
    assert not shared.sign_in("zuhura", "first-monsoon")
    assert answer(shared, token) == 401
    listed = shared.hrims("user", "list").stdout
    name, role, institutions, _, signed_in, state = line(listed, "zuhura")
    assert (name, role, institutions, len(signed_in)) == ("zuhura", "officer", "all", 16)
    assert state.startswith("disabled ")
    assert all(len(row) <= 80 for row in listed.splitlines())
    assert shared.hrims("user", "enable", "zuhura").stdout == "zuhura may sign in again.\n"
    assert shared.sign_in("zuhura", "first-monsoon")
    assert answer(shared, token) == 401


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ("user", "disable", "admin"),
            "admin is the last administrator who may sign in. Nothing was changed.",
        ),
        (("user", "disable", "unheard"), "There is no user of this name. Nothing was changed."),
        (("user", "enable", "admin"), "admin is enabled already. Nothing was changed."),
        (("token", "revoke", "unheard"), "There is no token of this name or number. Nothing was changed."),
        (("token", "add", "x", "--user", "unheard"), "There is no such user who may sign in. No token"),
        (("token", "add", "x", "--days", "0"), "A token is valid for 1 to 3650 days. No token was made."),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_is_refused(shared: Product, words: tuple[str, ...], told: str) -> None:
    done = shared.hrims(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
