"""Exports rejects to files. Input: cases. Output: CSV or XLSX in a file. Memory is bounded for any number."""

import csv
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from typing import IO, Final
from zoneinfo import ZoneInfo

import xlsxwriter

from hrims.jobs.enqueue import IDENTIFIERS
from hrims.rejects.listing import Case
from hrims.spreadsheets import neutralize

Cell = str | int | None

HEADINGS: Final = (
    *("Institution", "Listing", "State", "What is wrong", "Field", "Reason", "ZanID (masked)", "Record"),
    *(
        "Page size",
        "Page (from 0)",
        "Position (from 0)",
        "Times met",
        "First met",
        "First run",
        "Last met",
        "Last run",
    ),
    *("Closed", "Closed by run", "What to do", "Name", "Payroll number", "Workplace"),
)

MAX_ROWS: Final = 1_048_575
"""Maximum rows of a sheet, without its header. Only the CSV has the rows beyond it."""


def cells(case: Case, zone: ZoneInfo) -> tuple[Cell, ...]:
    """Return the cells of a case. Times are like 2026-11-24 19:05, in this zone."""

    def moment(at: object) -> str | None:
        return f"{at.astimezone(zone):%Y-%m-%d %H:%M}" if at else None  # type: ignore[attr-defined] # a datetime

    return (
        *(case.institution, IDENTIFIERS[case.identifier_type], case.state, case.code_text.name),
        *(case.field, case.reason, case.masked, case.record, case.page_size, case.page_number, case.position),
        *(case.times, moment(case.first_seen_at), case.first_run_id),
        *(moment(case.last_seen_at), case.last_run_id, moment(case.closed_at), case.closed_run_id),
        *(case.code_text.advice, case.name, case.payroll_number, case.workplace),
    )


def write_csv(cases: Iterable[Case], zone: ZoneInfo, into: IO[bytes]) -> None:
    """Write CSV with a byte order mark, by which Excel detects UTF-8."""
    text = TextIOWrapper(into, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(HEADINGS)
    for case in cases:
        writer.writerow([neutralize(cell) for cell in cells(case, zone)])
    # Do not close the file: the caller owns it.
    text.detach()


def write_xlsx(cases: Iterable[Case], zone: ZoneInfo, into: IO[bytes]) -> None:
    """Write one sheet. A text stays a text, whatever its first character."""
    book = xlsxwriter.Workbook(into, {"constant_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("Rejects")
    head = book.add_format({"bold": True})
    sheet.freeze_panes(1, 0)
    for column, heading in enumerate(HEADINGS):
        sheet.set_column(column, column, max(12, len(heading) + 2))
        sheet.write_string(0, column, heading, head)
    for row, case in zip(range(1, MAX_ROWS + 1), cases, strict=False):
        for column, cell in enumerate(cells(case, zone)):
            if isinstance(cell, str):
                sheet.write_string(row, column, cell)
            elif cell is not None:
                sheet.write_number(row, column, cell)
    book.close()


WRITERS: Final[dict[str, Callable[[Iterable[Case], ZoneInfo, IO[bytes]], None]]] = {
    "csv": write_csv,
    "xlsx": write_xlsx,
}
MIMES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
