"""What to do about a reject: its code comes in, words for an HR officer go out. Pure."""

from typing import Final, NamedTuple


class Told(NamedTuple):
    """A code's short name, and what a person can do about it."""

    name: str
    advice: str


CODES: Final[dict[str, Told]] = {
    "no_zan_id": Told(
        "No ZanID", "Have the person's ZanID entered in HRIMS; HRIMS Sync knows people by it alone."
    ),
    "bad_zan_id": Told("ZanID is not one", "Have the ZanID put right in HRIMS: 8 to 10 digits."),
    "shared_zan_id": Told(
        "ZanID of another person",
        "Two people have this ZanID in HRIMS. Have the wrong one corrected there.",
    ),
    "wrong_type": Told(
        "Wrong type",
        "HRIMS sent something else than it agreed on. Tell whoever runs HRIMS, with the field.",
    ),
    "bad_date": Told("Date cannot be read", "Have the date put right in HRIMS."),
    "bad_text": Told(
        "Text cannot be kept", "Have the text typed anew in HRIMS; it holds a broken character."
    ),
    "too_long": Told("Text is too long", "Have the text shortened in HRIMS."),
    "remote_breaks": Told(
        "Breaks HRIMS",
        "HRIMS itself fails on this record. Tell whoever runs HRIMS, with its place in the listing.",
    ),
}

UNKNOWN: Final = Told("Other", "Tell whoever runs HRIMS Sync.")


def told(code: str) -> Told:
    """The words for a code."""
    return CODES.get(code, UNKNOWN)
