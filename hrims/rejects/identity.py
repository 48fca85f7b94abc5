"""Whose record a reject is: a record of HRIMS comes in, a text that is the same in every run goes out. Pure.

The text holds personal data: it is given to Postgres, which keeps a keyed digest of it (decision 0010).
"""

from hrims.employees.mapping import Reject
from hrims.remote.records import PersonalInfo
from hrims.remote.wire import Page, Person, Unreadable


def identities(page: Page, rejects: list[tuple[int, Reject]]) -> list[str]:
    """The identity of each reject of a page; of a page without records, of each by its place."""
    start = page.size * page.number
    return [
        identity(page.records[position] if position < len(page.records) else None, start + position)
        for position, _ in rejects
    ]


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
