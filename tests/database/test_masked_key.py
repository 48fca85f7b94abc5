"""The database masks a number by the rule of hrims/employees/masking.py."""

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hrims.db import Connection
from hrims.employees.masking import mask_number

DIGITS = st.text(st.sampled_from("0123456789"), max_size=15)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=15)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example("580330001")
@example("12345678901")
@given(DIGITS | TEXTS)
def test_both_give_the_same_mask(conn: Connection, number: str) -> None:
    assert conn.execute("SELECT masked_key(%s)", (number,)).fetchone() == (mask_number(number),)
