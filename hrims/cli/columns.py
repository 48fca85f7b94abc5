"""Rows of text as aligned columns. Input: a heading and rows. Output: lines that fit the terminal."""

import shutil
import sys
from collections.abc import Sequence
from typing import Final

GAP: Final = "  "

SHORTEST: Final = 8
"""Characters that a shortened column keeps at least."""


def aligned(heading: Sequence[str], rows: Sequence[Sequence[str]], shortened: str) -> str:
    """Return the lines. On a terminal the column ``shortened`` gives way; a pipe gets every value whole."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    return "\n".join(lines(heading, rows, shortened, width))


def lines(
    heading: Sequence[str], rows: Sequence[Sequence[str]], shortened: str, width: int | None
) -> list[str]:
    """Return the lines, of at most ``width`` characters if the column ``shortened`` can give way so far."""
    table = [list(heading), *map(list, rows)]
    at = list(heading).index(shortened)
    if width is not None:
        others = sum(size + len(GAP) for place, size in enumerate(_sizes(table)) if place != at)
        room = max(SHORTEST, width - others)
        for row in table:
            row[at] = row[at] if len(row[at]) <= room else f"{row[at][: room - 1]}…"
    sizes = _sizes(table)
    return [
        GAP.join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in table
    ]


def _sizes(table: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*table, strict=True)]
