"""Text for spreadsheets. Input: a cell of a CSV file. Output: the cell, which no program executes. Pure."""

import re
from typing import Final, TypeVar

Cell = TypeVar("Cell")

SIGNS: Final = "=+\\-@＝＋－＠﹦﹢﹣﹫"
"""The characters with which a formula begins: of ASCII, in full width and in small form."""

FORMULA: Final = re.compile(rf'(?:\A|[;,\t\r\n])(?=[\s"]*[{SIGNS}])|\A(?=[\t\r\n])')
"""The places in a cell behind which a spreadsheet could read a formula.

A program that separates columns by other characters than the file does splits a cell into several. Spaces and
quotation marks before a formula can be lost.
"""


def neutralize(cell: Cell) -> Cell:
    """Return a cell with an apostrophe, which marks text, before each formula. Only texts are changed."""
    if isinstance(cell, str):
        return FORMULA.sub(r"\g<0>'", cell)  # type: ignore[return-value] # a text for a text
    return cell
