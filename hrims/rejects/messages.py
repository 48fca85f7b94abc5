"""Advice about a reject. Input: its code. Output: a message for an HR officer. Pure."""

from typing import Final, NamedTuple


class CodeText(NamedTuple):
    """A code's short name, and what a user can do about it."""

    name: str
    advice: str


CODES: Final[dict[str, CodeText]] = {
    "no_zan_id": CodeText(
        "No ZanID", "Have the person's ZanID entered in HRIMS. HRIMS Sync identifies people by it."
    ),
    "bad_zan_id": CodeText("Invalid ZanID", "Have the ZanID corrected in HRIMS: 8 to 10 digits."),
    "shared_zan_id": CodeText(
        "ZanID of another person",
        "Two people have this ZanID in HRIMS. Have the wrong one corrected there.",
    ),
    "wrong_type": CodeText(
        "Wrong type",
        "HRIMS sent a value of the wrong type. Tell the operator of HRIMS which field it is.",
    ),
    "bad_date": CodeText("Invalid date", "Have the date corrected in HRIMS."),
    "bad_text": CodeText(
        "Invalid text", "Have the text entered again in HRIMS; it contains an invalid character."
    ),
    "too_long": CodeText("Text is too long", "Have the text shortened in HRIMS."),
    "remote_breaks": CodeText(
        "HRIMS error",
        "HRIMS fails on this record. Tell the operator of HRIMS its position in the list.",
    ),
}

UNKNOWN: Final = CodeText("Other", "Tell the operator of HRIMS Sync.")


def describe_code(code: str) -> CodeText:
    """Return the name and advice of a code."""
    return CODES.get(code, UNKNOWN)
