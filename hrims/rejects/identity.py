"""Whose record a reject is: a record of HRIMS comes in, a text that is the same in every run goes out. Pure.

The text holds personal data: it is given to Postgres, which keeps a keyed digest of it (decision 0010).
"""

from hrims.employees.digest import identity as identity_digest
from hrims.employees.mapping import Reject, Row, to_row
from hrims.employees.rejects import SHARED_ZAN_ID
from hrims.remote.records import PersonalInfo
from hrims.remote.wire import Page, Person, Unreadable


def identities(page: Page, rejects: list[tuple[int, Reject]]) -> list[str]:
    """The identity of each reject of a page; of a page without records, of each by its place."""
    start = page.size * page.number
    found = []
    for position, reject in rejects:
        record = page.records[position] if position < len(page.records) else None
        row = to_row(record) if record is not None and reject.code == SHARED_ZAN_ID else None
        found.append(
            shared(row.zan_id, identity_digest(row))
            if isinstance(row, Row)
            else identity(record, start + position)
        )
    return found


def shared(zan_id: str, person: int) -> str:
    """Return the identity of a record whose ZanID is another person's: ``person`` is its digest."""
    return f"shared:{zan_id} {person}"


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


def _text(text: str | None) -> str:
    # What the database cannot keep is no reason not to know the record again.
    return (text or "").strip().replace("\x00", "\ufffd").encode(errors="replace").decode()
