"""Prints what was seen of each fault. Input: the properties of test reports. Output: lines."""

from collections.abc import Iterable

PROPERTY = "observed"

HEADER = ["fault", "/readyz", "doctor", "metrics", "alert", "log"]


def table(rows: Iterable[list[str]]) -> list[str]:
    """Return the lines of a table; none without rows."""
    found = [*rows]
    if not found:
        return []
    lines = [HEADER, *found]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
