"""A register file: rows come out, or words that name the line and what is wrong with it."""

from pathlib import Path

import pytest

from hrims.config import PROJECT
from hrims.errors import InvalidInput
from hrims.register import table

HEAD = "name,vote_code,tin\n"


def test_the_demo_register_is_one() -> None:
    rows = table.read(PROJECT / "hrims" / "simulator" / "institutions.csv")
    assert len(rows) == 40
    assert rows[0] == ("WIZARA YA AFYA", "001", "156255890")


def test_a_mark_in_front_spaces_and_columns_in_another_order(tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text("tin,name,vote_code\n, Taasisi ,004\n123456789,Bodi,\n", encoding="utf-8-sig")
    assert table.read(file) == [("Taasisi", "004", None), ("Bodi", None, "123456789")]


BAD_FILES = {
    "empty": (b"", "must have the columns name, vote_code, tin"),
    "other columns": (b"name;vote_code;tin\nA;1;\n", "must have the columns name, vote_code, tin"),
    "a column too many": (HEAD.encode() + b"A,8101,\nB,8102,,x\n", "line 3: a name and at most two"),
    "no name": (HEAD.encode() + b"A,8101,\n,8102,\n", "line 3: a name and"),
    "vote code with letters": (
        HEAD.encode() + b"A,8101,\nB,81O2,\n",
        "line 3: a vote code is 1 to 10 digits",
    ),
    "TIN of eight digits": (HEAD.encode() + b"A,8101,\nB,,12345678\n", "line 3: a TIN is nine digits"),
    "vote code twice": (HEAD.encode() + b"A,8101,\nB,8101,\n", "line 3: line 2 has the same vote code"),
    "TIN twice": (HEAD.encode() + b"A,,987654321\n\nB,,987654321\n", "line 4: line 2 has the same TIN"),
    "name twice": (HEAD.encode() + b"Wizara A,8101,\nWIZARA  A.,8102,\n", "line 3: line 2 has the same name"),
    "quote left open": (HEAD.encode() + b'A,8101,\n"B,8102,\n', "line 3: this is not CSV"),
    "another encoding": (HEAD.encode() + b"A\xe9,8101,\n", "is not a CSV file in UTF-8"),
    "no text at all": (bytes(range(256)), "is not a CSV file in UTF-8"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_by_line(tmp_path: Path, kind: str) -> None:
    content, words = BAD_FILES[kind]
    file = tmp_path / "bad.csv"
    file.write_bytes(content)
    with pytest.raises(InvalidInput) as refused:
        table.read(file)
    assert words in str(refused.value)
    assert str(refused.value).endswith("Nothing was imported.")
