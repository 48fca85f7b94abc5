"""Every reason to reject has words that say what to do."""

import re

from hrims.employees.rejects import SHARED_ZAN_ID
from hrims.rejects.messages import CODES, UNKNOWN, describe_code
from tests import PROJECT


def test_every_code_has_a_message() -> None:
    source = (PROJECT / "hrims" / "employees" / "rejects.py").read_text(encoding="utf-8")
    codes = set(re.findall(r'Reject\(\s*"([a-z_]+)"', source))
    assert codes | {SHARED_ZAN_ID} == set(CODES)
    assert all(code.name and code.advice.endswith(".") for code in CODES.values())


def test_an_unknown_code_has_a_message() -> None:
    assert describe_code("something_new") == UNKNOWN
