"""Rules of the project: the docs list every setting and event, modules are short and have a docstring, SQL is
only in its modules, tests import no conftest.
"""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

from hrims.config import VARIABLES
from hrims.log.libraries import GUNICORN, GUNICORN_BEGINNINGS
from tests import PROJECT

SOURCES = sorted((PROJECT / "hrims").rglob("*.py"))
TESTS = sorted((PROJECT / "tests").rglob("*.py"))
MAX_LINES = 280
SQL_MODULES = {"store.py", "db.py", "connection_pools.py", "migrate.py"}
# LISTEN is no query; and the embedded server makes its one role and database before there is a schema.
SQL_MODULES |= {"run_events.py", "server.py"}


def name(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@functools.cache
def parse(path: Path) -> ast.Module:
    return ast.parse(read(path))


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
        for node in ast.walk(parse(path)):
            match node:
                case ast.Call(ast.Attribute(ast.Name("log"), level), [first], fields) if level in LEVELS:
                    _add(events, first, fields, level)
                case ast.Call(ast.Attribute(ast.Name("log"), "log"), [ast.IfExp() as chosen, first], fields):
                    for level in _levels(chosen):
                        _add(events, first, fields, level)
    return events


def _levels(choice: ast.expr) -> Iterator[str]:
    if isinstance(choice, ast.IfExp):
        yield from (*_levels(choice.body), *_levels(choice.orelse))
    else:
        yield ast.unparse(choice).rpartition(".")[2].lower()


def _add(events: Events, name: ast.expr, fields: list[ast.keyword], level: str) -> None:
    known = events.setdefault(ast.literal_eval(name), (set(), set()))
    known[0].update(str(field.arg) for field in fields if field.arg != "exc_info")
    known[1].add(level)


def test_the_reference_lists_every_event_of_the_log() -> None:
    reference = (PROJECT / "docs" / "reference" / "logs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|([^|\n]*)\|([^|\n]*)\| .+ \|$", reference, flags=re.MULTILINE)
    listed = {
        event: (set(re.findall(r"\w+", fields)), set(re.findall(r"\w+", levels)))
        for event, fields, levels in rows
    }
    assert listed == events_of_code()
    assert [row[0] for row in rows] == sorted(listed)


def test_the_reference_lists_every_event_of_gunicorn() -> None:
    reference = (PROJECT / "docs" / "reference" / "logs.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(gunicorn_\w+)` \|([^|\n]*)\| [^|\n]+ \|$", reference, flags=re.MULTILINE)
    events: dict[str, set[str]] = {name: set() for name in GUNICORN_BEGINNINGS.values()}
    for event, fields in GUNICORN.values():
        events.setdefault(event, set()).update(fields)
    assert {event: set(re.findall(r"\w+", fields)) for event, fields in rows} == events | {
        "gunicorn_message": {"message"}
    }
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_every_module_has_a_docstring() -> None:
    assert [name(path) for path in SOURCES if not ast.get_docstring(parse(path))] == []


def test_no_module_is_too_long() -> None:
    assert [name(path) for path in SOURCES + TESTS if len(read(path).splitlines()) > MAX_LINES] == []


def test_sql_is_only_in_its_modules() -> None:
    others = [path for path in SOURCES if path.name not in SQL_MODULES]
    assert [name(path) for path in others if methods_called(path) & {"execute", "executemany"}] == []


def methods_called(path: Path) -> set[str]:
    calls = [node.func for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute)}


def test_no_module_imports_a_conftest() -> None:
    assert [name(path) for path in TESTS if "conftest" in imported_names(path)] == []


def imported_names(path: Path) -> set[str]:
    imports = [node for node in ast.walk(parse(path)) if isinstance(node, ast.ImportFrom)]
    return {part for node in imports for part in (node.module or "").split(".")}


def test_a_partial_is_small_and_no_page() -> None:
    texts = {name(path): read(path) for path in (PROJECT / "templates").rglob("_*.html")}
    assert [path for path, text in texts.items() if len(text.splitlines()) > 70 or "<html" in text] == []


def test_every_lint_exception_carries_its_reason() -> None:
    for path in SOURCES:
        for line in read(path).splitlines():
            if "# noqa" in line or "# type: ignore" in line:
                match = re.search(r"# (noqa|type: ignore)[^ ]*[^-#]*( - | # )\w", line)
                assert match, f"{name(path)}: {line.strip()}"
