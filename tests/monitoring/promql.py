"""The names in a query. Input: PromQL. Output: metrics with the labels that the query asks of them.

It reads the queries of this project, not all of PromQL: a selector is a name, and labels in braces.
"""

import re
from typing import NamedTuple

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
SELECTOR = re.compile(r"(?<![\w:$])([a-zA-Z_:][\w:]*+)(?:\{([^}]*)\})?+(?!\s*\()")
GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
MATCHER = re.compile(r"([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)")
DURATION = re.compile(r"\[[^\]]*\]|\boffset\s+\w+")

KEYWORDS = {"and", "or", "unless", "bool", "inf", "nan"}


class Names(NamedTuple):
    """Metrics with the labels of their braces, and the labels by which the query groups."""

    metrics: list[tuple[str, set[str]]]
    grouping: set[str]


def names_of(expr: str) -> Names:
    """Return the names in a query."""
    text = DURATION.sub("", STRING.sub('""', expr))
    grouping = {label for found in GROUPING.findall(text) for label in re.findall(r"\w+", found)}
    metrics = [
        (name, set(MATCHER.findall(braces)))
        for name, braces in SELECTOR.findall(GROUPING.sub("", text))
        if name.lower() not in KEYWORDS
    ]
    return Names(metrics, grouping)
