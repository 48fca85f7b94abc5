"""Whose record a reject is: a record of HRIMS comes in; what HR officers find the person by goes out, and a
text that is the same in every run. Pure.

Both are personal data. Of the text, which may hold the ZanID, Postgres keeps a keyed digest (decision 0010).
"""

from typing import NamedTuple

from hrims.employees.digest import identity as identity_digest
from hrims.employees.mapping import Reject, Row, to_row, workplace_of
from hrims.employees.rejects import LONGEST_TEXT, SHARED_ZAN_ID
from hrims.remote.records import PersonalInfo
from hrims.remote.wire import Page, Person, Unreadable


class Whose(NamedTuple):
    """The person of a rejected record: a text that is the same in every run (None where only the preview that
    fetched the record knows it), and what the record says of them.
    """

    key: str | None
    name: str | None = None
    payroll_number: str | None = None
    workplace: str | None = None

    def __repr__(self) -> str:
        """Without the person, so that no log has them."""
        return "Whose(…)"


def identities(page: Page, rejects: list[tuple[int, Reject]]) -> list[Whose]:
    """Return whose record each reject of a page is; of a page without records, each by its place alone."""
    start = page.size * page.number
    found = []
    for position, reject in rejects:
        record = page.records[position] if position < len(page.records) else None
        person = whose(record, start + position)
        if record is not None and reject.code == SHARED_ZAN_ID and isinstance(row := to_row(record), Row):
            person = person._replace(key=shared(row.zan_id, identity_digest(row)))
        found.append(person)
    return found


def shared(zan_id: str, person: int) -> str:
    """Return the identity of a record whose ZanID is another person's: ``person`` is its digest."""
    return f"shared:{zan_id} {person}"


def whose(record: Person | Unreadable | None, place: int) -> Whose:
    """Return the person of a record at this place of the listing; without a record, only its place."""
    info = _info(record) or PersonalInfo()
    name = " ".join(filter(None, map(_text, (info.first_name, info.middle_name, info.last_name))))
    shown = (name, _text(info.payroll_number), _text(_workplace(record)))
    return Whose(identity(record, place), *(text[:LONGEST_TEXT].strip() or None for text in shown))


def identity(record: Person | Unreadable | None, place: int) -> str:
    """By ZanID where one can be read, else by payroll number and name, else by place in the listing."""
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
        return workplace_of(record)
    return record.workplace if record else None


def _text(text: str | None) -> str:
    # What the database cannot keep is no reason not to know the record again.
    return (text or "").strip().replace("\x00", "\ufffd").encode(errors="replace").decode()
