"""No cell of an exported CSV file is a formula, however a spreadsheet splits it, and ordinary data stays."""

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrims.spreadsheets import neutralize

SIGNS = "=+-@＝＋－＠"

texts = st.text(st.sampled_from([*SIGNS, *"﹦﹢﹣﹫;,\t\r\n\"' aZ0|()!", "\u00a0", "\u3000"]), max_size=12)


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("before", ["", " ", '"', ' "', "\u00a0"])
def test_a_formula_is_marked_as_text(sign: str, before: str) -> None:
    formula = f"{before}{sign}HYPERLINK(A1)"
    assert neutralize(formula) == f"'{formula}"
    for separator in ";,\t\r\n":
        assert neutralize(f"a{separator}{formula}") == f"a{separator}'{formula}"


@pytest.mark.parametrize("begin", ["\t", "\r", "\n"])
def test_a_cell_that_begins_with_a_control_is_marked(begin: str) -> None:
    assert neutralize(f"{begin}a") == f"'{begin}a"


@pytest.mark.parametrize(
    "ordinary",
    [
        "Asha Juma Ali", "0777-123456", "a=b", "WIZARA YA AFYA; Unguja", "Bodi, Pemba", "5-10", "a@b.example",
        "Ng'ambo", "'=1", "line\nnext", "a\tb", "", "TGS D, TGS E", "(+255) 24", "1+1", "A & B", "50 %",
    ],
)  # fmt: skip
def test_ordinary_data_is_not_altered(ordinary: str) -> None:
    assert neutralize(ordinary) == ordinary


@pytest.mark.parametrize("number", [-5, 0, None, 1.5])
def test_only_texts_are_altered(number: object) -> None:
    assert neutralize(number) is number


@settings(max_examples=2000)
@given(st.lists(texts, min_size=1, max_size=4))
def test_no_program_finds_a_formula(cells: list[str]) -> None:
    """Whether it reads the quotation marks of the file or not, and whichever separator it expects."""
    file = io.StringIO(newline="")
    csv.writer(file).writerow([neutralize(cell) for cell in cells])
    found = re.split("[;,\t\r\n]", file.getvalue())
    for separator in ",;\t":
        found += [
            cell
            for row in csv.reader(io.StringIO(file.getvalue(), newline=""), delimiter=separator)
            for cell in row
        ]
    for cell in found:
        assert not re.match(r'[\s"]*[=+\-@＝＋－＠]', cell), (file.getvalue(), cell)


@given(texts)
def test_it_only_adds_apostrophes_and_does_so_once(cell: str) -> None:
    safe = neutralize(cell)
    assert neutralize(safe) == safe
    assert safe.replace("'", "") == cell.replace("'", "")
    if not re.search(r'(\A|[;,\t\r\n])[\s"]*[=+\-@＝＋－＠﹦﹢﹣﹫]|\A[\t\r\n]', cell):
        assert safe == cell
