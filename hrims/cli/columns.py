"""Rows of text as aligned columns. Input: a heading and rows. Output: lines that fit the terminal."""

import shutil
import sys
from collections.abc import Sequence
from typing import Final

GAP: Final = "  "

MIN_WIDTH: Final = 8
"""Minimum number of characters of a shortened column."""


def aligned(heading: Sequence[str], rows: Sequence[Sequence[str]], shortened: str) -> str:
    """Return the lines.

    On a terminal, the column ``shortened`` is truncated to fit. A pipe gets every value in full.
    """
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return "\n".join(lines(heading, rows, shortened, width))


def lines(
    heading: Sequence[str], rows: Sequence[Sequence[str]], shortened: str, width: int | None
) -> list[str]:
    """Return the lines.

    They have at most ``width`` characters, unless the column ``shortened`` cannot be truncated that far.
    """
    table = [list(heading), *map(list, rows)]
    index = list(heading).index(shortened)
    if width is not None:
        others = sum(size + len(GAP) for i, size in enumerate(_sizes(table)) if i != index)
        max_width = max(MIN_WIDTH, width - others)
        for row in table:
            row[index] = row[index] if len(row[index]) <= max_width else f"{row[index][: max_width - 1]}…"
    sizes = _sizes(table)
    return [
        GAP.join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in table
    ]


def _sizes(table: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*table, strict=True)]
