"""Why a record is not kept: what is wrong with it comes in, words without personal data go out."""

import re
from typing import Final, NamedTuple

from hrims.text import clean

SHARED_ZAN_ID: Final = "shared_zan_id"
"""Code of a record whose ZanID is another person's."""

LONGEST_TEXT: Final = 500
"""Characters; nothing that HRIMS means to say about a person is longer."""


class Reject(NamedTuple):
    """A record that cannot be kept: a code for machines, words for people, and no personal data.

    ``field`` is the column, or for ``wrong_type`` the path in the record; ``masked`` is the
    ZanID of which at most the first and last two digits show. Codes: no_zan_id, bad_zan_id,
    shared_zan_id, wrong_type, bad_date, bad_text, too_long, remote_breaks.
    """

    code: str
    field: str | None
    reason: str
    masked: str | None


def unreadable(reason: str, field: str | None, zan_id: str | None = None) -> Reject:
    """Return the reject of a record whose types are wrong, with its masked ZanID if that is one."""
    found = clean(zan_id or "")
    shown = masked(found) if is_zan_id(found) else None
    return Reject("wrong_type", field, f"The record has a wrong type: {reason}.", shown)


def breaks_hrims() -> Reject:
    """For a record with which HRIMS fails every time, whatever else is on the page."""
    return Reject("remote_breaks", None, "HRIMS fails on every page that holds this record.", None)


def without_key(zan_id: str) -> Reject:
    """For a ZanID that is empty or is none."""
    if not zan_id:
        return Reject("no_zan_id", "zan_id", "The record has no ZanID.", None)
    return Reject("bad_zan_id", "zan_id", "The ZanID is not 8 to 10 digits.", masked(zan_id))


def shared_zan_id(zan_id: str) -> Reject:
    """Return the reject of a record whose ZanID belongs to another person's record."""
    reason = "Another record has this ZanID, with another name, birth date or payroll number."
    return Reject(SHARED_ZAN_ID, "zan_id", reason, masked(zan_id))


def undated(zan_id: str, column: str) -> Reject:
    """For a date that cannot be read as one day."""
    return Reject("bad_date", column, "The date is not one that can be read.", masked(zan_id))


def unstorable(zan_id: str, texts: dict[str, str]) -> Reject | None:
    """For the first of ``texts`` (by column) that the table cannot keep; None if it keeps all."""
    for column, text in texts.items():
        if "\x00" in text or not is_unicode(text):
            reason = "The text holds a character that no database can keep."
            return Reject("bad_text", column, reason, masked(zan_id))
        if len(text) > LONGEST_TEXT:
            reason = f"The text is longer than {LONGEST_TEXT} characters."
            return Reject("too_long", column, reason, masked(zan_id))
    return None


def is_zan_id(text: str) -> bool:
    """Return whether ``text`` is 8 to 10 digits: only such a ZanID tells whose record it is."""
    return 8 <= len(text) <= 10 and text.isascii() and text.isdigit()


def is_plain(text: str) -> bool:
    """Whether ``text`` is surely kept as it is; if not, look closer."""
    return len(text) <= LONGEST_TEXT and "\x00" not in text and is_unicode(text)


def is_unicode(text: str) -> bool:
    """Whether ``text`` has no half characters (lone surrogates)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def masked(zan_id: str) -> str:
    """A ZanID that a person can compare but not use: ``58•••••00``; short ones show nothing."""
    if len(zan_id) < 8:
        return "•" * len(zan_id)
    ends = re.sub("[^0-9]", "•", zan_id[:2] + zan_id[-2:])
    return ends[:2] + "•" * (min(len(zan_id), 10) - 4) + ends[2:]
