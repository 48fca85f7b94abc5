"""The tables and the view of employees have the columns of hrims/employees/fields.py."""

import pytest

from hrims.db import Connection
from hrims.employees.fields import COLUMNS, SQL_TYPES

OWN = {
    "employees": "id workplace_id institution_id first_run_id last_changed_run_id created_at updated_at"
    " left_at left_run_id",
    "preview_people": "run_id reading page_size page_number position",
    "employees_v": "institution institution_id first_job_id last_changed_job_id created_at updated_at"
    " left_at left_job_id",
}
"""The columns of each that are no field of an employee."""


@pytest.mark.parametrize("table", OWN)
def test_it_has_each_column_with_its_type(conn: Connection, table: str) -> None:
    rows = conn.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s", (table,)
    )
    found = {name: kind for name, kind in rows if name not in OWN[table].split()}
    assert found == SQL_TYPES


@pytest.mark.parametrize("table", ["employees", "preview_people"])
def test_only_the_key_and_the_status_are_required(conn: Connection, table: str) -> None:
    rows = conn.execute(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_name = %s AND column_name = ANY(%s) AND is_nullable = 'NO'",
        (table, list(COLUMNS)),
    )
    assert {name for (name,) in rows} == {"zan_id", "status"}
