"""Rows as aligned columns that fit the terminal."""

from hypothesis import given
from hypothesis import strategies as st

from hrims.cli.columns import MIN_WIDTH, lines

HEADING = ("ID", "NAME", "STATE")
ROWS = [("1", "payroll", "enabled"), ("12", "a name that is longer than others", "revoked")]


def test_a_pipe_gets_every_value_whole() -> None:
    assert lines(HEADING, ROWS, "NAME", None) == [
        "ID  NAME                               STATE",
        "1   payroll                            enabled",
        "12  a name that is longer than others  revoked",
    ]


def test_a_terminal_gets_lines_that_fit() -> None:
    assert lines(HEADING, ROWS, "NAME", 30) == [
        "ID  NAME               STATE",
        "1   payroll            enabled",
        "12  a name that is l…  revoked",
    ]


def test_no_rows_leave_the_heading() -> None:
    assert lines(HEADING, [], "NAME", 80) == ["ID  NAME  STATE"]


CELLS = st.text(st.characters(categories=["L", "N"], max_codepoint=0x24F), min_size=1, max_size=64)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5), st.integers(20, 200))
def test_columns_begin_at_the_same_place_and_only_one_is_shortened(
    rows: list[tuple[str, str, str]], width: int
) -> None:
    shown = lines(HEADING, rows, "NAME", width)
    first = max(len(row[0]) for row in [HEADING, *rows])
    assert all(line[first : first + 2] == "  " for line in shown)
    for row, line in zip(rows, shown[1:], strict=True):
        assert line.startswith(row[0])
        assert line.endswith(row[2])
    others = first + max(len(row[2]) for row in [HEADING, *rows]) + 4
    if others + MIN_WIDTH <= width:
        assert max(map(len, shown)) <= width
