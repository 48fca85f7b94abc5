"""Reasons for rejects. Input: what is wrong with a record. Output: a message without personal data."""

from typing import Final, NamedTuple

from hrims.employees.masking import mask_number
from hrims.text import clean, is_unicode

SHARED_ZAN_ID: Final = "shared_zan_id"
"""Code of a record whose ZanID belongs to another person."""

LONGEST_TEXT: Final = 500
"""Maximum number of characters; no genuine value about an employee is longer."""


class Reject(NamedTuple):
    """A record that cannot be saved: a code for programs, a message for users, and no personal data.

    ``field`` is the column, or for ``wrong_type`` the path in the record. ``masked`` is the ZanID with at
    most its first and last two digits visible. Codes: no_zan_id, bad_zan_id, shared_zan_id, wrong_type,
    bad_date, bad_text, too_long, remote_breaks.
    """

    code: str
    field: str | None
    reason: str
    masked: str | None


def reject_unreadable(reason: str, field: str | None, zan_id: str | None = None) -> Reject:
    """Return the reject of a record with a wrong type. It has the masked ZanID if that is valid."""
    found = clean(zan_id or "")
    shown = mask_number(found) if is_zan_id(found) else None
    return Reject("wrong_type", field, f"The record has a wrong type: {reason}.", shown)


def reject_unfetchable() -> Reject:
    """Return the reject of a record on which HRIMS always fails, whichever records share the page."""
    return Reject("remote_breaks", None, "HRIMS fails on every page that holds this record.", None)


def reject_without_key(zan_id: str) -> Reject:
    """Return the reject of a record whose ZanID is empty or invalid."""
    if not zan_id:
        return Reject("no_zan_id", "zan_id", "The record has no ZanID.", None)
    return Reject("bad_zan_id", "zan_id", "The ZanID is not 8 to 10 digits.", mask_number(zan_id))


def reject_shared_zan_id(zan_id: str) -> Reject:
    """Return the reject of a record whose ZanID belongs to another person."""
    reason = "Another record has this ZanID, with another name, birth date or payroll number."
    return Reject(SHARED_ZAN_ID, "zan_id", reason, mask_number(zan_id))


def reject_undated(zan_id: str, column: str) -> Reject:
    """Return the reject of a record with a date that cannot be read as one day."""
    return Reject("bad_date", column, "The date is not one that can be read.", mask_number(zan_id))


def reject_unstorable(zan_id: str, texts: dict[str, str]) -> Reject | None:
    """Return the reject for the first of ``texts`` (by column) that the table cannot store, or else None."""
    for column, text in texts.items():
        if "\x00" in text or not is_unicode(text):
            reason = "The text holds a character that no database can keep."
            return Reject("bad_text", column, reason, mask_number(zan_id))
        if len(text) > LONGEST_TEXT:
            reason = f"The text is longer than {LONGEST_TEXT} characters."
            return Reject("too_long", column, reason, mask_number(zan_id))
    return None


def is_zan_id(text: str) -> bool:
    """Return whether ``text`` is 8 to 10 digits. Only such a ZanID identifies an employee."""
    return 8 <= len(text) <= 10 and text.isascii() and text.isdigit()


def is_plain(text: str) -> bool:
    """Return whether ``text`` can certainly be stored unchanged. If not, check each text separately."""
    return len(text) <= LONGEST_TEXT and "\x00" not in text and is_unicode(text)
