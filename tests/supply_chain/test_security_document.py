"""Every line of the threat model names a test that exists, and every element has its threats."""

import ast
import functools
import re
from collections.abc import Iterator

import pytest

from tests import PROJECT
from tests.support import documents

PAGE = PROJECT / "docs" / "security.md"
TEXT = PAGE.read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")

SECTION = re.compile(
    r"^### (?P<id>[FPD]\d) .+ \((?P<kind>flow|process|store)\)\n(?P<body>(?:(?!^#).*\n)+)", re.MULTILINE
)
SECTIONS = {match["id"]: match for match in SECTION.finditer(TEXT)}

REQUIRED = {"flow": set("TID"), "process": set("STRIDE"), "store": set("TID")}
"""The kinds of threats that STRIDE asks about for each kind of element."""

ROW = re.compile(r"^\| ([STRIDE]) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)


def named_tests(text: str) -> list[tuple[str, str]]:
    return sorted(set(TEST.findall(text)))


@functools.cache
def functions_of(path: str) -> set[str]:
    """Return the names of the test functions of a file, and of the methods of its test classes."""
    file = PROJECT / path
    if not file.exists():
        return set()
    return {
        name for name in _functions(ast.parse(file.read_text(encoding="utf-8"))) if name.startswith("test_")
    }


def _functions(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node)


@pytest.mark.parametrize(("path", "name"), named_tests(TEXT), ids=map("::".join, named_tests(TEXT)))
def test_every_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in functions_of(path), (
        f"{path} has no {name}: name its new test, or say that this is not protected"
    )


def test_every_table_of_threats_is_read() -> None:
    threats = [line for line in TEXT.splitlines() if re.match(r"\| [A-Z] \|", line)]
    assert sum(len(ROW.findall(section["body"])) for section in SECTIONS.values()) == len(threats) > 80


@pytest.mark.parametrize("element", SECTIONS)
def test_every_threat_names_its_protection_and_a_test(element: str) -> None:
    for letter, threat, protection, tests in ROW.findall(SECTIONS[element]["body"]):
        assert named_tests(tests), f"{element} {letter} {threat}: no test"
        assert TEST.sub("", tests).strip(" ,") == "", f"{element} {letter} {threat}: more than tests"
        assert protection.strip(), f"{element} {letter} {threat}"


@pytest.mark.parametrize("element", SECTIONS)
def test_every_element_has_the_threats_of_its_kind(element: str) -> None:
    section = SECTIONS[element]
    missing = REQUIRED[section["kind"]] - {row[0] for row in ROW.findall(section["body"])}
    assert not missing, f"{element} has no line for {sorted(missing)}"


def test_the_diagram_and_the_sections_have_the_same_elements() -> None:
    [diagram] = [block for block in documents.blocks_of(PAGE) if block.language == "text"]
    assert set(re.findall(r"\b[FPD]\d\b", diagram.text)) == SECTIONS.keys()


def test_each_finding_of_the_auditor_is_closed_by_a_test() -> None:
    table = TEXT.partition("## The auditor's six findings")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| ([A-Z].+\.) \| (.+) \|$", table, re.MULTILINE)
    assert len(rows) == 6
    assert all(named_tests(tests) for _, tests in rows)


def test_what_is_not_protected_is_said() -> None:
    chapter = TEXT.partition("\n## What is not protected")[2]
    for words in (
        "OpenID",
        "pooler",
        "owner of the database",
        "workstation",
        "wrong data",
        "volume",
        "reversed",
    ):
        assert words in chapter
