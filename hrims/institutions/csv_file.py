"""Parses a register file. Input: its bytes. Output: its rows, and the problems by line. Pure.

Spreadsheets write CSV in several forms. This module reads those that can be distinguished. Columns are
separated by commas, semicolons, tabs or bars. The encoding is UTF-8, or UTF-16 or UTF-32 with a byte order
mark. Headers have any case and order.
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
MAX_NAME_LENGTH: Final = 500
DECIMAL: Final = re.compile(r"[0-9]+[.,]0+")
"""A whole number in the form that spreadsheets write if they treat it as a decimal."""

NOTHING: Final = "Nothing was imported."

SEPARATORS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}

BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by the byte order mark at the beginning of a file. The longer marks come first."""

WORKBOOKS: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""The first bytes of Excel workbooks."""

FORBIDDEN_CATEGORIES: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories of characters that never occur in a name: controls, line ends, directions, surrogates.
"""


class Lines(Protocol):
    """The type that csv.reader returns."""

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
    """A message about what is wrong on a line."""

    line: int
    message: str


class RegisterFile(NamedTuple):
    """The content of a file: the valid rows, and the problems of the others."""

    name: str
    rows: list[Row]
    problems: list[Problem]


def parse(name: str, content: bytes) -> RegisterFile:
    """Return the content of a file with this name. Raises InvalidInput if it is not a register file."""
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
    raise InvalidInput(_describe_header(name, text, skipped), "bad_file")


def refusal(name: str, problems: list[Problem]) -> InvalidInput:
    """Return the error that lists all problems of a file by line."""
    lines = [f"{name}, line {line}: {message}" for line, message in sorted(set(problems))]
    return InvalidInput("\n".join([*lines, NOTHING]), "bad_file")


def _decode(name: str, content: bytes) -> str:
    if content.startswith(WORKBOOKS):
        raise InvalidInput(f"{name} is an Excel workbook. Save it as “CSV UTF-8”. {NOTHING}", "bad_file")
    encoding = next(
        (code for mark, code in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8-sig"
    )
    beginning = content[:400]
    if encoding == "utf-8-sig" and beginning.count(0) * 4 > len(beginning):
        raise InvalidInput(
            f"{name} seems to be in UTF-16 without a byte order mark. Save it as “CSV UTF-8”. {NOTHING}",
            "bad_file",
        )
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        charset = encoding.removesuffix("-sig").upper()
        line = content[: error.start].count(b"\n") + 1
        raise InvalidInput(
            f"{name} is not a CSV file in {charset}: line {line} has a byte that {charset} does not have. "
            f"Save it as “CSV UTF-8”. {NOTHING}",
            "bad_file",
        ) from error


def _columns(lines: Lines, skipped: int) -> list[int] | None:
    """Return the index of each of COLUMNS in a row. Return None if the header has other columns."""
    try:
        for _ in range(skipped):
            next(lines, None)
        header: list[str] = next(lines, [])
    except csv.Error:
        return None
    wanted = [column.replace("_", "") for column in COLUMNS]
    found = [re.sub(r"[\s_-]", "", clean(title)).casefold() for title in header]
    return [found.index(column) for column in wanted] if sorted(found) == sorted(wanted) else None


def _describe_header(name: str, text: str, skipped: int) -> str:
    wanted = f"{name} must have the columns {', '.join(COLUMNS)}"
    lines = text.splitlines()[skipped:]
    if not lines or not lines[0].strip():
        return f"{wanted}. Its first line is empty. {NOTHING}"
    separator = max(SEPARATORS, key=lines[0].count)
    titles = ", ".join(f"“{_printable(title)}”" for title in lines[0].split(separator)[:10])
    between = f", with {SEPARATORS[separator]} between them" if separator in lines[0] else ""
    return f"{wanted}. Its first line has: {titles}{between}. {NOTHING}"


def _printable(title: str) -> str:
    return "".join(
        character if character.isprintable() else "\ufffd" for character in clean(title.strip('" '))
    )[:40]


def _read(lines: Lines, columns: list[int], found: RegisterFile) -> None:
    line = lines.line_num + 1
    try:
        for fields in lines:
            if any(field.strip() for field in fields):
                _read_row(line, fields, columns, found)
            line = lines.line_num + 1
    except csv.Error as error:
        found.problems.append(Problem(line, f"this is not CSV ({error}); the lines below were not read."))


def _read_row(line: int, fields: list[str], columns: list[int], found: RegisterFile) -> None:
    given = [fields[place].strip() if place < len(fields) else "" for place in columns]
    messages = [
        f"the {title} holds a character that cannot be there ({codes})."
        for column, field in zip(COLUMNS, given, strict=True)
        if (title := column.replace("_", " ")) and (codes := forbidden_characters(field))
    ]
    name, vote_code, tin = map(clean, given)
    messages = messages or [*_find_wrong_count(fields), *_find_problems(name, vote_code, tin)]
    found.problems.extend(Problem(line, message) for message in messages)
    if not messages:
        found.rows.append(Row(line, name, vote_code or None, tin or None))


def _find_wrong_count(fields: list[str]) -> list[str]:
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


def _find_problems(name: str, vote_code: str, tin: str) -> list[str]:
    messages = []
    if not name:
        messages.append("the name is empty.")
    if len(name) > MAX_NAME_LENGTH:
        messages.append(f"the name is longer than {MAX_NAME_LENGTH} characters.")
    if vote_code and not VOTE_CODE.fullmatch(vote_code):
        messages.append(f"a vote code is 1 to 10 digits, not {_quoted(vote_code)}")
    if tin and not TIN.fullmatch(tin):
        messages.append(f"a TIN is nine digits, not {_quoted(tin)}")
    return messages


def _quoted(number: str) -> str:
    quoted = f"“{_printable(number)}”."
    if DECIMAL.fullmatch(number):
        quoted += " A spreadsheet made it a decimal: format the column as text, with all leading zeros."
    return quoted


def forbidden_characters(field: str) -> str:
    """Return the code points in ``field`` that the register does not allow, as text. Return "" if there are
    none.
    """
    wrong = {
        character
        for character in field
        if unicodedata.category(character) in FORBIDDEN_CATEGORIES and ord(character) not in INVISIBLE
    }
    return ", ".join(f"U+{ord(character):04X}" for character in sorted(wrong))
