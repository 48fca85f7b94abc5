"""Masks fields of employees. Input: permissions and values. Output: the values, or masks instead. Pure.

``fields`` has the class of each field. This is the only place that says who sees which class.
"""

import re
from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from hrims.access.permissions import Permission
from hrims.employees.fields import CLASSES, COLUMNS, Classification

HIDDEN: Final = "•••"
"""What stands in place of a hidden value."""

MIN_SHOWN_LENGTH: Final = 8
"""Minimum length of a number whose ends are shown."""

MAX_MASK_LENGTH: Final = 10
"""Maximum length of a mask. A longer number does not show its length."""

NEEDED: Final = {
    Classification.INTERNAL: Permission.READ_NAMES,
    Classification.CONFIDENTIAL: Permission.READ_CONFIDENTIAL,
    Classification.RESTRICTED: Permission.READ_CONFIDENTIAL,
}
"""The permission that each class needs. A public field needs none."""

CHANGES: Final = "changes"
"""The key of a row whose value has the old and the new value of fields: {column: [old, new]}."""


def _to_camel_case(column: str) -> str:
    first, *others = column.split("_")
    return first + "".join(map(str.capitalize, others))


API_NAMES: Final = {column: _to_camel_case(column) for column in COLUMNS} | {"current_workplace": "workplace"}
"""The name of each column in the API."""

_COLUMN_OF: Final = {column: column for column in COLUMNS} | {
    name: column for column, name in API_NAMES.items()
}
"""The column of each key of a row, in pages and in the API. Other keys hold nothing of an employee."""


class Mask(NamedTuple):
    """The classes that are hidden from a user."""

    hidden: frozenset[Classification]

    def hides(self, column: str) -> bool:
        """Return whether the column is hidden. A column without a class always counts as restricted."""
        return CLASSES.get(column, Classification.RESTRICTED) in self.hidden

    def value(self, column: str, value: Any) -> Any:
        """Return the value of a column, masked if it is hidden. None stays None."""
        if value is None or not self.hides(column):
            return value
        is_number = CLASSES.get(column) is Classification.RESTRICTED
        return mask_number(str(value)) if is_number else HIDDEN

    def changes(self, changes: Mapping[str, Collection[Any]]) -> dict[str, list[Any]]:
        """Return the values of {column: [old, new]}, masked."""
        return {column: [self.value(column, value) for value in values] for column, values in changes.items()}

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row about an employee, for pages or for the API, with its hidden fields masked."""
        return {key: self._field(key, value) for key, value in row.items()}

    def rows(self, rows: Collection[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return rows about employees, each masked."""
        return [self.row(row) for row in rows]

    def _field(self, key: str, value: Any) -> Any:
        if key == CHANGES:
            return self.changes(value)
        return self.value(_COLUMN_OF[key], value) if key in _COLUMN_OF else value


EVERYTHING_HIDDEN: Final = Mask(frozenset(NEEDED))
"""The mask of a user without a permission."""


def build_mask(permissions: Collection[Permission]) -> Mask:
    """Return the mask of a user with these permissions."""
    return Mask(frozenset(class_ for class_, needed in NEEDED.items() if needed not in permissions))


def mask_number(number: str) -> str:
    """Return a number that a user can compare but not use: ``58•••••00``. A short one shows no digits.

    The database function ``masked_key`` (migrations/0009_rejects_drift.sql) has the same rule; a test
    compares the two.
    """
    if len(number) < MIN_SHOWN_LENGTH:
        return "•" * len(number)
    ends = re.sub("[^0-9]", "•", number[:2] + number[-2:])
    return ends[:2] + "•" * (min(len(number), MAX_MASK_LENGTH) - 4) + ends[2:]
