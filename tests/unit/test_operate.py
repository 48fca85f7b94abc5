"""docs/how-to/operate.md explains every symptom, error code, and event that is a warning or an error."""

import re

import pytest

from hrims import errors
from tests import PROJECT

CODE = re.compile(r"`([a-z_]+)`")

SYMPTOMS = [
    "Worker not processing",
    "Runs waiting",
    "Progress not moving",
    "HRIMS slow or down",
    "Outcome incomplete",
    "Database lost or read-only",
    "Disk full",
    "Cannot sign in",
]


def read(name: str) -> str:
    """Return a document."""
    return (PROJECT / "docs" / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    """Return the part of a document below a heading, up to the next one of its level."""
    level = heading.split(" ", 1)[0]
    after = text.split(f"\n{heading}\n", 1)[1]
    return re.split(rf"^{level} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables in a text, without the headers."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ]
    return [row for row in found if row[0].startswith("`") or row[0].isdigit()]


def explained(heading: str) -> set[str]:
    """Return the codes in the first column below a heading."""
    return {
        code for row in rows(section(read("how-to/operate.md"), heading)) for code in CODE.findall(row[0])
    }


def test_every_error_code_has_its_paragraph() -> None:
    text = read("reference/errors.md")
    listed = {code for row in rows(section(text, "## Responses of the API")) for code in CODE.findall(row[1])}
    listed |= {code for row in rows(section(text, "## Failed runs")) for code in CODE.findall(row[0])}
    assert explained("## Error codes") == listed


def test_every_code_of_an_error_is_known_to_the_operator() -> None:
    found = {
        kind.code
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, errors.HrimsSyncError)
    }
    # Bases that are never raised themselves, and the end of an attempt that fails no run.
    assert found - explained("## Error codes") == {"error", "remote", "fenced", "background_task_ended"}


def test_every_warning_has_its_paragraph() -> None:
    text = section(read("reference/logs.md"), "## Events of HRIMS Sync")
    serious = {row[0].strip("`") for row in rows(text) if re.search(r"warning|error", row[2])}
    libraries = {
        row[0].strip("`") for row in rows(section(read("reference/logs.md"), "## Events of libraries"))
    }
    assert explained("## Log events") == serious | {"postgres_log"} | libraries - {"procrastinate_…"}


@pytest.mark.parametrize("heading", ["## Error codes", "## Log events"])
def test_every_row_says_where_to_look_and_what_to_do(heading: str) -> None:
    assert all(len(row) == 3 and all(row) for row in rows(section(read("how-to/operate.md"), heading)))


def test_every_symptom_has_its_section() -> None:
    symptoms = section(read("how-to/operate.md"), "## Symptoms")
    assert re.findall(r"^### (.+)$", symptoms, re.MULTILINE) == SYMPTOMS
    for heading in SYMPTOMS:
        assert "First look:" in section(symptoms, f"### {heading}"), heading
