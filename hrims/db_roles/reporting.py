"""The views of the reporting role. Input: the views for people. Output: SQL of the same with fewer rows.

Each has the name and the columns of its original, in the schema ``reporting``. A reader gets the rows of the
institutions that ``reporting_scopes`` gives to its role, and personal columns masked. The views use the
rights of the owner, so the reader needs none on a table.
"""

from collections.abc import Iterable, Mapping
from typing import Final

SCHEMA: Final = "reporting"

HIDDEN: Final = "CASE WHEN {0} IS NOT NULL THEN '•••' END"

DATES: Final = ("date_of_birth", "retirement_date")

TEXTS: Final = (
    "place_of_birth",
    "region",
    "country_of_birth",
    "phone_number",
    "contact_address",
    "salary_scale",
    "zssf_number",
    "payroll_number",
)

MASKED: Final = ("zan_id", *DATES, *TEXTS)
"""Columns of an employee that the reporting role sees masked: those that are confidential or restricted.

A test compares them with the classes in ``employees.fields``.
"""

_PERSON: Final = {"zan_id": "{public}.masked_key(zan_id)"}

MASKS: Final[Mapping[str, Mapping[str, str]]] = {
    "employees_v": {
        **_PERSON,
        **dict.fromkeys(DATES, "NULL::date"),
        **{name: HIDDEN.format(name) for name in TEXTS},
    },
    "changes_v": {
        **_PERSON,
        **{
            name: f"CASE WHEN field IN {MASKED} AND {name} IS NOT NULL THEN '•••' ELSE {name} END"
            for name in ("old", "new")
        },
    },
    "rejects_v": {"payroll_number": HIDDEN.format("payroll_number")},
    "workers_v": {
        "job_ids": "ARRAY(SELECT r.id FROM unnest(job_ids) WITH ORDINALITY AS j (id, place)"
        " JOIN {public}.runs r ON r.id = j.id WHERE {seen} ORDER BY j.place)"
    },
}
"""For each view the columns that are not those of the original."""

_SEES_EMPLOYEE: Final = (
    "EXISTS (SELECT FROM {public}.employees r WHERE r.%s AND ({seen} OR EXISTS ("
    "SELECT FROM {public}.listings l WHERE l.employee_id = r.id AND l.ended_at IS NULL"
    " AND l.institution_id IN (SELECT * FROM {mine}))))"
)
"""An employee is seen by the institution of the workplace, and by those that list the employee."""

ROWS: Final = {
    "runs_v": "{seen_here}",
    "queue_v": "{seen_here}",
    "jobs_v": "{all} OR EXISTS (SELECT FROM {public}.runs r WHERE r.id = v.job_id AND {seen})",
    "employees_v": _SEES_EMPLOYEE % "zan_id = v.zan_id",
    "changes_v": _SEES_EMPLOYEE % "id = v.employee_id",
    "workplaces_v": "{seen_here}",
    "rejects_v": "{seen_here}",
    "drift_v": "{seen_here}",
    "workers_v": "EXISTS (SELECT FROM {scope})",
    "batches_v": "EXISTS (SELECT FROM {scope}) AND NOT EXISTS ("
    "SELECT FROM {public}.batch_members r WHERE r.batch_id = v.batch_id AND NOT {seen})",
}
"""For each view the rows that a reader sees."""

PARTS: Final = {
    "mine": "(SELECT institution_id FROM {scope} WHERE institution_id IS NOT NULL) mine",
    "all": "(SELECT EXISTS (SELECT FROM {scope} WHERE institution_id IS NULL))",
    "seen": "({all} OR r.institution_id IN (SELECT * FROM {mine}))",
    "seen_here": "({all} OR v.institution_id IN (SELECT * FROM {mine}))",
}
"""Conditions on a row ``r`` or ``v``. Each may contain those before it."""

SCOPE: Final = """
CREATE VIEW {scope} WITH (security_barrier) AS
SELECT DISTINCT s.institution_id
FROM {public}.reporting_scopes s JOIN pg_catalog.pg_roles r ON r.rolname = s.role
WHERE pg_catalog.pg_has_role(current_user, r.oid, 'USAGE')
"""
"""The institutions of the reader: NULL stands for all. Inside a view, current_user is the reader."""


def statements(public: str, columns: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the statements that create the views. ``public`` is the quoted schema of the originals.

    ``columns`` has the columns of each original.
    """
    parts = {"public": public, "scope": f"{SCHEMA}.scope"}
    for name, part in PARTS.items():
        parts[name] = part.format(**parts)
    return [SCOPE.format(**parts), *(_view(view, columns[view], parts) for view in ROWS)]


def _view(view: str, columns: Iterable[str], parts: Mapping[str, str]) -> str:
    masks = MASKS.get(view, {})
    shown = ", ".join(
        f'{masks[name].format(**parts)} AS "{name}"' if name in masks else f'"{name}"' for name in columns
    )
    rows = ROWS[view].format(**parts)
    body = f"SELECT {shown} FROM {parts['public']}.{view} v WHERE {rows}"  # noqa: S608 - no input
    return f"CREATE VIEW {SCHEMA}.{view} WITH (security_barrier) AS {body}"
