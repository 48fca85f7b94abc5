"""A register file: its bytes come in; its rows, and what is wrong on which line, go out. Pure.

Spreadsheets write CSV in several forms. Those that can be told apart are read: commas, semicolons, tabs or
bars between the columns; UTF-8; UTF-16 and UTF-32 with a byte order mark; headers in any case and order.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from hrims.errors import InvalidInput
from hrims.text import INVISIBLE, clean

COLUMNS: Final = ("name", "vote_code", "tin")
VOTE_CODE: Final = re.compile(r"[0-9]{1,10}")
TIN: Final = re.compile(r"[0-9]{9}")
LONGEST_NAME: Final = 500
DECIMALS: Final = re.compile(r"[0-9]+[.,]0+")
"""A whole number as spreadsheets write one that they take for a decimal."""

NOTHING: Final = "Nothing was imported."

SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by the byte order mark that a file begins with; the longer marks first."""

WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""What Excel's own files begin with."""

NEVER: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode's categories of characters that no name has: controls, line ends, directions, half characters."""


class Lines(Protocol):
    """What csv.reader returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class Row(NamedTuple):
    """An institution of the file, and the line on which it begins."""

    line: int
    name: str
    vote_code: str | None
    tin: str | None


class Problem(NamedTuple):
    """What is wrong on a line, in words."""

    line: int
    message: str


class RegisterFile(NamedTuple):
    """What a file says: the rows that have the right form, and what is wrong with the others."""

    name: str
    rows: list[Row]
    problems: list[Problem]


def parse(name: str, content: bytes) -> RegisterFile:
    """Return what a file of this name and content says. Raises InvalidInput if it is no register at all."""
    text = _decode(name, content)
    declared = re.match(r"sep=(.)(?:\r\n|\r|\n)", text)
    separators = declared[1] if declared else "".join(SEPARATORS)
    skipped = 1 if declared else 0
    found = RegisterFile(name, [], [])
    for separator in separators:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        columns = _columns(lines, skipped)
        if columns is not None:
            _read(lines, columns, found)
            return found
    raise InvalidInput(_wrong_header(name, text, skipped), "bad_file")


def refusal(name: str, problems: list[Problem]) -> InvalidInput:
    """Return the error that tells all problems of a file, by line."""
    told = [f"{name}, line {line}: {message}" for line, message in sorted(set(problems))]
    return InvalidInput("\n".join([*told, NOTHING]), "bad_file")


def _decode(name: str, content: bytes) -> str:
    if content.startswith(WORKBOOKS):
        raise InvalidInput(f"{name} is an Excel workbook. Save it as “CSV UTF-8”. {NOTHING}", "bad_file")
    encoding = next((code for mark, code in MARKS.items() if content.startswith(mark)), "utf-8-sig")
    beginning = content[:400]
    if encoding == "utf-8-sig" and beginning.count(0) * 4 > len(beginning):
        raise InvalidInput(
            f"{name} seems to be in UTF-16 without a byte order mark. Save it as “CSV UTF-8”. {NOTHING}",
            "bad_file",
        )
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as reason:
        said = encoding.removesuffix("-sig").upper()
        line = content[: reason.start].count(b"\n") + 1
        raise InvalidInput(
            f"{name} is not a CSV file in {said}: line {line} has a byte that {said} does not have. "
            f"Save it as “CSV UTF-8”. {NOTHING}",
            "bad_file",
        ) from reason


def _columns(lines: Lines, skipped: int) -> list[int] | None:
    """Return where the columns stand in a row, in the order of COLUMNS; None if the header has others."""
    try:
        for _ in range(skipped):
            next(lines, None)
        header: list[str] = next(lines, [])
    except csv.Error:
        return None
    wanted = [column.replace("_", "") for column in COLUMNS]
    found = [re.sub(r"[\s_-]", "", clean(title)).casefold() for title in header]
    return [found.index(column) for column in wanted] if sorted(found) == sorted(wanted) else None


def _wrong_header(name: str, text: str, skipped: int) -> str:
    wanted = f"{name} must have the columns {', '.join(COLUMNS)}"
    lines = text.splitlines()[skipped:]
    if not lines or not lines[0].strip():
        return f"{wanted}. Its first line is empty. {NOTHING}"
    separator = max(SEPARATORS, key=lines[0].count)
    titles = ", ".join(f"“{_shown(title)}”" for title in lines[0].split(separator)[:10])
    between = f", with {SEPARATORS[separator]} between them" if separator in lines[0] else ""
    return f"{wanted}. Its first line has: {titles}{between}. {NOTHING}"


def _shown(title: str) -> str:
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in clean(title.strip('" ')))[:40]


def _read(lines: Lines, columns: list[int], found: RegisterFile) -> None:
    line = lines.line_num + 1
    try:
        for fields in lines:
            if any(field.strip() for field in fields):
                _read_row(line, fields, columns, found)
            line = lines.line_num + 1
    except csv.Error as reason:
        found.problems.append(Problem(line, f"this is not CSV ({reason}); the lines below were not read."))


def _read_row(line: int, fields: list[str], columns: list[int], found: RegisterFile) -> None:
    given = [fields[place].strip() if place < len(fields) else "" for place in columns]
    messages = [
        f"the {title} holds a character that cannot be there ({codes})."
        for column, field in zip(COLUMNS, given, strict=True)
        if (title := column.replace("_", " ")) and (codes := forbidden_characters(field))
    ]
    name, vote_code, tin = map(clean, given)
    messages = messages or [*_wrong_count(fields), *_wrong(name, vote_code, tin)]
    found.problems.extend(Problem(line, message) for message in messages)
    if not messages:
        found.rows.append(Row(line, name, vote_code or None, tin or None))


def _wrong_count(fields: list[str]) -> list[str]:
    filled = max(place for place, field in enumerate(fields, 1) if field.strip())
    count = max(filled, min(len(fields), len(COLUMNS)))
    if count > len(COLUMNS):
        hint = ' If a name holds the separator, put it in quotes, like "Bodi, Pemba".'
    elif count < len(COLUMNS):
        hint = " The separator must be that of the first line."
    else:
        return []
    there = "is 1 column" if count == 1 else f"are {count} columns"
    return [f"there {there}, and {len(COLUMNS)} in the first line.{hint}"]


def _wrong(name: str, vote_code: str, tin: str) -> list[str]:
    messages = []
    if not name:
        messages.append("the name is empty.")
    if len(name) > LONGEST_NAME:
        messages.append(f"the name is longer than {LONGEST_NAME} characters.")
    if vote_code and not VOTE_CODE.fullmatch(vote_code):
        messages.append(f"a vote code is 1 to 10 digits, not {_quoted(vote_code)}")
    if tin and not TIN.fullmatch(tin):
        messages.append(f"a TIN is nine digits, not {_quoted(tin)}")
    return messages


def _quoted(number: str) -> str:
    quoted = f"“{_shown(number)}”."
    if DECIMALS.fullmatch(number):
        quoted += " A spreadsheet made it a decimal: format the column as text, with all leading zeros."
    return quoted


def forbidden_characters(field: str) -> str:
    """Return the code points in ``field`` that no text of the register has, as words, else nothing."""
    wrong = {sign for sign in field if unicodedata.category(sign) in NEVER and ord(sign) not in INVISIBLE}
    return ", ".join(f"U+{ord(sign):04X}" for sign in sorted(wrong))
