"""The list of employee columns against what cannot take the columns from it."""

import re
from pathlib import Path

import pytest

from hrims.access.permissions import ROLES
from hrims.employees.fields import (
    CLASSES,
    COLUMNS,
    LABELS,
    SOURCES,
    SQL_TYPES,
    Classification,
    expand_columns,
    get_label,
)
from hrims.employees.masking import build_mask
from hrims.remote.field_filter import FIELDS
from hrims.simulator.expected import expected_row

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "sql.md"
PERSONAL_DATA = REFERENCE.with_name("personal-data.md")


def test_each_column_has_a_label_and_the_institution_too() -> None:
    assert LABELS.keys() == {*COLUMNS, "institution"}
    assert (get_label("date_of_birth"), get_label("personalInfo.city")) == (
        "Date of birth",
        "personalInfo.city",
    )


def test_each_column_has_a_class_and_the_institution_too() -> None:
    assert CLASSES.keys() == LABELS.keys()


def test_each_field_of_hrims_that_is_decoded_is_saved_or_chooses_the_entry() -> None:
    decoded = {f"{part}.{name}" for part, names in FIELDS.items() for name in names}
    flags = {path for path in decoded if path.rpartition(".")[2].startswith("is")}
    assert {path for source in SOURCES.values() for path in source.paths} == decoded - flags


def test_the_simulator_expects_these_columns() -> None:
    assert expected_row({}).keys() == set(COLUMNS)


def test_the_reference_describes_each_column() -> None:
    """If this fails, replace the table in docs/reference/sql.md by the expected one."""
    table = [
        f"| `{column}` | {SQL_TYPES[column]} | {LABELS[column]} | {_describe(column)} |" for column in COLUMNS
    ]
    documented = [line for line in REFERENCE.read_text().splitlines() if line.startswith("| `")]
    assert documented == table, "\n".join(table)


def test_the_reference_has_the_class_of_each_column() -> None:
    """If this fails, replace the table in docs/reference/personal-data.md by the expected one."""
    table = [f"| `{column}` | {label} | {CLASSES[column]} |" for column, label in LABELS.items()]
    pattern = re.compile(r"\| `\w+` \| [^|]+ \| (public|internal|confidential|restricted) \|")
    documented = [line for line in PERSONAL_DATA.read_text().splitlines() if pattern.fullmatch(line)]
    assert documented == table, "\n".join(table)


@pytest.mark.parametrize("class_", Classification)
def test_the_reference_says_who_sees_each_class(class_: Classification) -> None:
    hidden = "ends" if class_ is Classification.RESTRICTED else "hidden"
    cells = [hidden if class_ in build_mask(granted).hidden else "yes" for granted in ROLES.values()]
    assert f"| {class_} | {' | '.join(cells)} |" in PERSONAL_DATA.read_text().splitlines()


def _describe(column: str) -> str:
    source = SOURCES[column]
    names = [f"`{name}`" for name in source.names.split()]
    return f"`{source.part}`: {(' + ' if source.join else ', else ').join(names)}"


def test_a_statement_repeats_its_pattern_for_each_column_but_the_key() -> None:
    (sql,) = expand_columns({"x": b"SET {columns = c.columns}, other = '{}'"}).values()
    assert sql.startswith(b"SET name = c.name, gender = c.gender, ")
    assert sql.endswith(b", status = c.status, other = '{}'")
    (types,) = expand_columns({"x": b"zan_id text, {columns types}"}).values()
    assert types.startswith(b"zan_id text, name text, gender text, date_of_birth date, ")
