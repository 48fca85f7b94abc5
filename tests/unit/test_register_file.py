"""A register file: rows come out, or words that name each wrong line and what is wrong with it."""

from pathlib import Path

import pytest

from hrims.errors import InvalidInput
from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer

HEAD = "name,vote_code,tin\n"


def read(folder: Path, content: bytes) -> list[importer.Entry]:
    """Return the rows of a file of this content."""
    file = folder / "register.csv"
    file.write_bytes(content)
    return importer.read(file)


def test_the_demo_register_is_one() -> None:
    rows = importer.read(DEMO_REGISTER)
    assert len(rows) == 40
    assert rows[0] == ("WIZARA YA AFYA", "001", "156255890")


SPREADSHEETS = {
    "a mark, another order": "\ufefftin,name,vote_code\n, Taasisi ,004\n123456789,Bodi,\n".encode(),
    "semicolons": b"name;vote_code;tin\nTaasisi;004;\nBodi;;123456789\n",
    "tabs": b"name\tvote_code\ttin\r\nTaasisi\t004\t\r\nBodi\t\t123456789\r\n",
    "a line that names the separator": b"sep=;\r\nname;vote_code;tin\r\nTaasisi;004;\r\nBodi;;123456789\r\n",
    "UTF-16": "name\tvote_code\ttin\nTaasisi\t004\t\nBodi\t\t123456789\n".encode("utf-16"),
    "UTF-16, the other order of bytes": b"\xfe\xff"
    + "Name,Vote_Code,TIN\nTaasisi,004,\nBodi,,123456789".encode("utf-16-be"),
    "UTF-32": "name,vote_code,tin\nTaasisi,004,\nBodi,,123456789\n".encode("utf-32"),
    "headers in another case": b"Name,Vote_Code,TIN\nTaasisi,004,\nBodi,,123456789\n",
    "headers with spaces": b'NAME , Vote code,"tin "\nTaasisi,004,\nBodi,,123456789\n',
    "lines without anything": b"name,vote_code,tin\n\nTaasisi,004,\n,,\nBodi,,123456789\n;\n".replace(
        b";\n", b""
    ),
    "empty columns at the end": b"name,vote_code,tin\nTaasisi,004,,,\nBodi,,123456789,\n",
    "old line ends": b"name,vote_code,tin\rTaasisi,004,\rBodi,,123456789\r",
    "odd spaces": "name,vote_code,tin\n\u00a0Taasisi\u200b,\u00a0004,\nBodi,,123456789\n".encode(),
}


@pytest.mark.parametrize("form", SPREADSHEETS)
def test_csv_files_of_spreadsheets_are_read(tmp_path: Path, form: str) -> None:
    assert read(tmp_path, SPREADSHEETS[form]) == [("Taasisi", "004", None), ("Bodi", None, "123456789")]


def test_names_are_cleaned(tmp_path: Path) -> None:
    content = HEAD + "Wizara\u00a0 ya  Afya,001,\n\u201cZoe\u0301\u201d,002,\n"
    assert [name for name, *_ in read(tmp_path, content.encode())] == [
        "Wizara ya Afya",
        "\u201cZo\u00e9\u201d",
    ]


BAD_FILES = {
    "empty": (b"", "must have the columns name, vote_code, tin. Its first line is empty"),
    "other columns": (
        b"jina;kura;tin\nA;1;\n",
        "first line has: “jina”, “kura”, “tin”, with semicolons between them",
    ),
    "one column": (b"name\nA\n", "first line has: “name”. "),
    "a column twice": (b"name,vote_code,tin,TIN\nA,1,,\n", "must have the columns name, vote_code, tin"),
    "a column too many": (
        HEAD.encode() + b"A,8101,\nB,8102,,x\n",
        "line 3: there are 4 columns, and 3 in the first line. If a name holds the separator, put it in",
    ),
    "a line with another separator": (
        b"name;vote_code;tin\nA;8101;\nB,8102,\n",
        "line 3: there is 1 column, and 3 in the first line. The separator must be that of the first line.",
    ),
    "a column too few": (
        HEAD.encode() + b"A,8101\n",
        "line 2: there are 2 columns, and 3 in the first line.",
    ),
    "a name with a comma": (
        HEAD.encode() + b"A,8101,\nBodi, Pemba,8102,156255890,,\n",
        "line 3: there are 4 columns, and 3 in",
    ),
    "no name": (HEAD.encode() + b"A,8101,\n,8102,\n", "line 3: the name is empty.\n"),
    "a vote code as a decimal": (
        HEAD.encode() + b"A,916.0,\n",
        "line 2: a vote code is 1 to 10 digits, not “916.0”. A spreadsheet made it a decimal: format the",
    ),
    "a TIN as a decimal": (
        b"name;vote_code;tin\nA;;156255890,0\n",
        "line 2: a TIN is nine digits, not “156255890,0”. A spreadsheet made it a decimal",
    ),
    "a long name": (HEAD.encode() + b"A,8101,\n" + b"x" * 501, "line 3: the name is longer than 500"),
    "vote code with letters": (
        HEAD.encode() + b"A,8101,\nB,81O2,\n",
        "line 3: a vote code is 1 to 10 digits, not “81O2”.",
    ),
    "TIN of eight digits": (HEAD.encode() + b"A,8101,\nB,,12345678\n", "line 3: a TIN is nine digits"),
    "quote left open": (HEAD.encode() + b'A,8101,\n"B,8102,\n', "line 3: this is not CSV"),
    "NUL": (
        HEAD.encode() + b"A,8101,\nB\0C,8102,\n",
        "line 3: the name holds a character that cannot be there (U+0000)",
    ),
    "a line end in a name": (
        HEAD.encode() + b'A,8101,\n"B\nC",8102,\nD,,\n',
        "line 3: the name holds a character that",
    ),
    "a tab in a name": (
        HEAD.encode() + b"A\tB,8101,\n",
        "line 2: the name holds a character that cannot be there (U+0009)",
    ),
    "a control in a vote code": (
        HEAD.encode() + b"A,81\x0701,\n",
        "line 2: the vote code holds a character that",
    ),
    "a direction": (HEAD.encode() + "A\u202eB,8101,\n".encode(), "(U+202E)"),
    "another encoding": (HEAD.encode() + b"A\xe9,8101,\n", "is not a CSV file in UTF-8: line 2 has a byte"),
    "no text at all": (bytes(range(256)), "is not a CSV file in UTF-8"),
    "UTF-16 without a mark": (HEAD.encode("utf-16-le"), "UTF-16 without a byte order mark"),
    "half of UTF-16": (HEAD.encode("utf-16")[:-1], "is not a CSV file in UTF-16"),
    "a workbook": (b"PK\x03\x04" + b"x" * 100, "is an Excel workbook"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_refused_by_line(tmp_path: Path, kind: str) -> None:
    content, message = BAD_FILES[kind]
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, content)
    assert message in str(refused.value)
    assert "Nothing was imported." in str(refused.value)
    assert "\0" not in str(refused.value)


def test_all_wrong_lines_are_reported_at_once(tmp_path: Path) -> None:
    content = HEAD + 'A,x,y\n"B\nC",1,\nD,2,\nE,3,4\n'
    with pytest.raises(InvalidInput) as refused:
        read(tmp_path, content.encode())
    assert str(refused.value).splitlines() == [
        "register.csv, line 2: a TIN is nine digits, not “y”.",
        "register.csv, line 2: a vote code is 1 to 10 digits, not “x”.",
        "register.csv, line 3: the name holds a character that cannot be there (U+000A).",
        "register.csv, line 6: a TIN is nine digits, not “4”.",
        "Nothing was imported.",
    ]
