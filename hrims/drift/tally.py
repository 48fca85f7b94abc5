"""Counts one page: its people and its answer come in; how often each field is filled, sent, unknown or of a
wrong type goes out. Pure, and cheap: it may cost a person 4 microseconds at most.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from hrims.drift.fields import KEY, KNOWN, PERSONAL
from hrims.employees.mapping import COLUMNS, Row
from hrims.remote import loose
from hrims.remote.wire import Page, Unreadable

SAMPLE: Final = 20
"""Records of a page that are looked at without types, spread over it."""

ONE_IN: Final = 4
"""Of so many pages one is looked at so, the first among them: reading an answer twice costs the most."""

MOST_ODD: Final = 50
"""Unknown fields, and fields of a wrong type, of a page that are told apart."""

ODD_NAME: Final = "(an odd name)"
"""For what is hardly a field's name: data can stand where names should, and no data is kept here."""

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_.]{0,79}\d{0,2}")
_PLACE: Final = re.compile(r"\[[^\]]*\]")
_KNOWN: Final = frozenset(KNOWN)


class Tally(NamedTuple):
    """The counts of one page, by name. ``filled`` counts each of COLUMNS over all people; ``present`` each of
    fields.KNOWN over the ``sampled`` records; ``odd`` has ``unknown`` (sample) and ``retyped`` (all records).
    """

    filled: dict[str, int]
    sampled: int
    present: dict[str, int]
    odd: dict[str, dict[str, int]]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return ``filled``, and ``present`` if a record was sampled, as they are saved with the page."""
        return {"filled": self.filled} | ({"present": self.present} if self.sampled else {})


def tally(page: Page, rows: Sequence[Row]) -> Tally:
    """The counts of a page as the client read it, and of the people it came to."""
    records = loose.records(page.body, SAMPLE) if page.number % ONE_IN == 0 else []
    present = dict.fromkeys(KNOWN, 0)
    unknown: Counter[str] = Counter()
    for path, times in _paths(records).items():
        if path in present:
            present[path] = times
        else:
            unknown[path] += times
    odd = {"unknown": _few(unknown), "retyped": _few(_retyped(page))}
    return Tally(_filled(rows), len(records), present, {kind: paths for kind, paths in odd.items() if paths})


def _filled(rows: Sequence[Row]) -> dict[str, int]:
    if not rows:
        return dict.fromkeys(COLUMNS, 0)
    # No field of a row is an empty text; comparing each with None would take three times as long.
    columns = zip(COLUMNS, zip(*rows, strict=True), strict=True)
    return {name: len([*filter(None, values)]) for name, values in columns}


def _paths(records: list[Any]) -> Counter[str]:
    """In how many records each path stands."""
    shapes: Counter[tuple[Any, ...]] = Counter()
    for record in records:
        if isinstance(record, dict):
            for name, value in record.items():
                shapes[name, *_entries(value)] += 1
    met: Counter[str] = Counter()
    for shape, times in shapes.items():
        for path in _unfold(shape):
            met[path] += times
    return met


def _entries(value: Any) -> list[tuple[str, ...]]:
    """The names of the fields in each entry of a part."""
    if isinstance(value, dict):
        return [tuple(value)]
    return [tuple(one) for one in value if isinstance(one, dict)] if isinstance(value, list) else []


@lru_cache(maxsize=4096)
def _unfold(shape: tuple[Any, ...]) -> tuple[str, ...]:
    part, *entries = shape
    if part not in _KNOWN:
        # Nobody knows what is in there; that it is there is what matters.
        return (_plain(part),)
    fields = {field for entry in entries for field in entry}
    return (part, *{_plain(f"{part}.{field}") for field in fields})


def _plain(path: str) -> str:
    return path if _NAME.fullmatch(path) else ODD_NAME


def _retyped(page: Page) -> Counter[str]:
    broken = (record.field for record in page.records if isinstance(record, Unreadable))
    return Counter(_plain(_PLACE.sub("", field)) if field else "the record" for field in broken)


def _few(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common(MOST_ODD))


def lacks_key(page: Page) -> bool:
    """Whether every record of a page of two or more lacks the key itself, not only its value: HRIMS has
    renamed it, or dropped the part that it stood in.
    """
    if len(page.records) < 2 or any(_has_zan_id(record) for record in page.records):
        return False
    records = loose.records(page.body)
    return len(records) >= 2 and not any(_has_key(record) for record in records)


def _has_zan_id(record: Any) -> bool:
    info = record.info if isinstance(record, Unreadable) else record.personal_info
    return bool(info and info.zan_id_number)


def _has_key(record: Any) -> bool:
    info = record.get(PERSONAL) if isinstance(record, dict) else None
    return isinstance(info, dict) and KEY in info
