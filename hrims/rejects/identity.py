"""Identifies the employee of a reject. Input: a record of HRIMS. Output: the fields by which HR officers find
the employee, and an identity that is the same in every run. Pure.

Both are personal data. The identity may contain the ZanID, so Postgres stores a keyed digest of it (decision
0010).
"""

from typing import NamedTuple

from hrims.employees.digest import compute_identity
from hrims.employees.fields import Row
from hrims.employees.mapping import map_record, read_workplace
from hrims.employees.rejects import LONGEST_TEXT, SHARED_ZAN_ID, Reject
from hrims.remote.records import PersonalInfo
from hrims.remote.wire import Page, Person, Unreadable
from hrims.text import clean


class RejectedPerson(NamedTuple):
    """The person of a rejected record, with the fields that the record has of them.

    ``key`` is the identity, which is the same in every run. It is None if only the preview that fetched the
    record knows it.
    """

    key: str | None
    name: str | None = None
    payroll_number: str | None = None
    workplace: str | None = None

    def __repr__(self) -> str:
        """Return a text without the person: personal data must not reach a log."""
        return "RejectedPerson(…)"


def identities(page: Page, rejects: list[tuple[int, Reject]]) -> list[RejectedPerson]:
    """Return the person of each reject of a page. If the page has no records, use positions alone."""
    start = page.size * page.number
    found = []
    for position, reject in rejects:
        record = page.records[position] if position < len(page.records) else None
        person = identify(record, start + position)
        if record is not None and reject.code == SHARED_ZAN_ID and isinstance(row := map_record(record), Row):
            person = person._replace(key=shared_key(row.zan_id, compute_identity(row)))
        found.append(person)
    return found


def shared_key(zan_id: str, person: int) -> str:
    """Return the identity of a record with another person's ZanID. ``person`` is its identity digest."""
    return f"shared:{zan_id} {person}"


def identify(record: Person | Unreadable | None, place: int) -> RejectedPerson:
    """Return the person of a record at this position of the list. Without a record, use only the position."""
    info = _info(record) or PersonalInfo()
    name = " ".join(filter(None, map(_text, (info.first_name, info.middle_name, info.last_name))))
    shown = (name, _text(info.payroll_number), _text(_workplace(record)))
    return RejectedPerson(identity(record, place), *(text[:LONGEST_TEXT].strip() or None for text in shown))


def identity(record: Person | Unreadable | None, place: int) -> str:
    """Return an identity: the ZanID if it is readable, else payroll number and name, else the position."""
    info = _info(record) or PersonalInfo()
    zan_id, payroll = _text(info.zan_id_number), _text(info.payroll_number)
    if 8 <= len(zan_id) <= 10 and zan_id.isascii() and zan_id.isdigit():
        return f"zan_id:{zan_id}"
    if payroll:
        names = (info.first_name, info.middle_name, info.last_name)
        return f"payroll:{payroll} {' '.join(filter(None, map(_text, names)))}"
    return f"place:{place}"


def _info(record: Person | Unreadable | None) -> PersonalInfo | None:
    if isinstance(record, Person):
        return record.personal_info
    return record.info if record else None


def _workplace(record: Person | Unreadable | None) -> str | None:
    if isinstance(record, Person):
        return read_workplace(record)
    return record.workplace if record else None


def _text(text: str | None) -> str:
    # Replace characters that the database cannot store: the record must still be recognized.
    return clean(text or "").replace("\x00", "\ufffd").encode(errors="replace").decode()
