"""The digest of a row: a number for Postgres whose high half tells people apart."""

import pytest

from hrims.employees.digest import compute_digest, compute_identity, extract_identity
from tests.support.people import record
from tests.unit.employees import row

ASHA = row(record(1))


def test_digests_are_bigints_of_both_signs_that_hold_the_identity() -> None:
    """Postgres refuses a larger number."""
    rows = [ASHA._replace(zan_id=f"58033{number:04d}") for number in range(200)]
    digests = [compute_digest(one) for one in rows]
    assert all(-(2**63) <= digest < 2**63 for digest in digests)
    assert min(digests) < 0 < max(digests)
    assert [extract_identity(digest) for digest in digests] == [compute_identity(one) for one in rows]
    assert len(set(digests)) == len(rows)


def test_the_low_half_holds_a_digest_of_all_columns() -> None:
    moved = ASHA._replace(current_workplace="Ofisi ya Mfano")
    assert compute_digest(moved) != compute_digest(ASHA)
    assert extract_identity(compute_digest(moved)) == extract_identity(compute_digest(ASHA))


@pytest.mark.parametrize("column", ["zan_id", "name", "date_of_birth", "payroll_number"])
def test_a_person_is_known_by_zan_id_name_birth_date_and_payroll_number(column: str) -> None:
    assert getattr(ASHA, column)
    fields = ASHA._asdict() | {column: None}
    other = type(ASHA)(**fields)
    assert compute_identity(other) != compute_identity(ASHA)


def test_the_case_of_a_name_is_no_difference_between_people() -> None:
    assert ASHA.name
    shouted, other = ASHA._replace(name=ASHA.name.upper()), ASHA._replace(name="Ali Mtu")
    assert compute_identity(shouted) == compute_identity(ASHA) != compute_identity(other)
