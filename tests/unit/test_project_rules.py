"""What the project promises about itself: the docs list every setting, files stay readable, every module
says what it is for, SQL stays in its rooms.
"""

import ast
import re
from pathlib import Path

import pytest

from hrims.config import VARIABLES
from tests import PROJECT

SOURCES = sorted(path for path in (PROJECT / "hrims").rglob("*.py"))
LONGEST = 280
SQL_HOMES = {"store.py", "db.py", "connection_pools.py", "migrate.py"}
# LISTEN is no query; and the embedded server makes its one role and database before there is a schema.
SQL_HOMES |= {"run_events.py", "server.py"}


def name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def test_the_reference_lists_every_setting() -> None:
    reference = (PROJECT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([A-Z_]+)`", reference, flags=re.MULTILINE)
    assert sorted(listed) == sorted(item.name for item in VARIABLES)


LEVELS = {"debug", "info", "warning", "error"}

Events = dict[str, tuple[set[str], set[str]]]
"""The fields and levels of each event."""


def events_of_code() -> Events:
    events: Events = {}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(ast.Attribute(ast.Name("log"), level), [first], fields) if level in LEVELS:
                    known = events.setdefault(ast.literal_eval(first), (set(), set()))
                    known[0].update(str(field.arg) for field in fields if field.arg != "exc_info")
                    known[1].add(level)
    return events


def test_the_reference_lists_every_event_of_the_log() -> None:
    reference = (PROJECT / "docs" / "reference" / "logs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\| .+ \|$", reference, flags=re.MULTILINE)
    listed = {
        event: (set(re.findall(r"\w+", fields)), set(re.findall(r"\w+", levels)))
        for event, fields, levels in rows
    }
    assert listed == events_of_code()
    assert [row[0] for row in rows] == sorted(listed)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_module_has_a_docstring(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_is_read_in_one_sitting(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name not in SQL_HOMES], ids=name)
def test_sql_stays_in_its_rooms(path: Path) -> None:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    calls = [node.func for node in nodes if isinstance(node, ast.Call)]
    called = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    assert not called & {"execute", "executemany"}


@pytest.mark.parametrize("path", sorted((PROJECT / "templates").rglob("_*.html")), ids=name)
def test_a_partial_is_small_and_no_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 70
    assert "<html" not in text


def test_every_lint_exception_carries_its_reason() -> None:
    for path in SOURCES:
        for line in path.read_text(encoding="utf-8").splitlines():
            if "# noqa" in line or "# type: ignore" in line:
                match = re.search(r"# (noqa|type: ignore)[^ ]*[^-#]*( - | # )\w", line)
                assert match, f"{name(path)}: {line.strip()}"
