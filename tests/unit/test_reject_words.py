"""Every reason to reject has words that say what to do."""

import re

from hrims.config import PROJECT
from hrims.employees.rejects import SHARED_ZAN_ID
from hrims.rejects.words import CODES, UNKNOWN, told


def test_every_code_has_its_words() -> None:
    source = (PROJECT / "hrims" / "employees" / "rejects.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'Reject\(\s*"([a-z_]+)"', source))
    assert codes | {SHARED_ZAN_ID} == set(CODES)
    assert all(one.name and one.advice.endswith(".") for one in CODES.values())


def test_a_code_of_tomorrow_has_words_too() -> None:
    assert told("something_new") == UNKNOWN
