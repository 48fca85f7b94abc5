"""A person with a marked value in every confidential and restricted field, and an officer who looks there."""

import re
from collections.abc import Collection
from typing import Any, Final

import httpx
import psycopg

from hrims.db import Connection
from hrims.employees.fields import CLASSES, COLUMNS, Classification
from tests.e2e.processes.product import Product
from tests.support.simulated import Simulator
from tests.support.users import PASSWORD, add_user
from tests.support.workbooks import unpack

MARK: Final = "Recognisable"

FIELDS: Final = {
    "personalInfo.zssfNumber": "ZSSF7788001",
    "personalInfo.payrollNumber": "PRN7788001",
    "personalInfo.birthDate": "1971-07-13T00:00:00",
    "personalInfo.placeOfBirth": f"{MARK} Mahali",
    "personalInfo.districtName": f"{MARK} Wilaya",
    "personalInfo.birthCountryName": f"{MARK} Nchi",
    "personalInfo.primaryPhone": "0778877881",
    "personalInfo.street": f"{MARK} Mtaa",
    "salary.salaryScaleName": f"{MARK} Daraja",
    "contract.toDate": "2071-07-13T00:00:00",
}

SENSITIVE: Final = [
    column
    for column in COLUMNS
    if CLASSES[column] in {Classification.CONFIDENTIAL, Classification.RESTRICTED}
]

OF_EMPLOYEES: Final = {
    *("employees", "employee_changes", "preview_people", "rejects", "reject_cases"),
    *("runs", "people_searches", "name_words"),
}
"""The tables that hold fields of employees, the number of a run of one person, or the words of a search."""

REASON: Final = "The employee asked us to check the number"

PAGE: Final = "/dashboard/admin/people"


def mark(simulator: Simulator, zan_id: str) -> None:
    """Mark the fields of a person at HRIMS."""
    simulator.change_person(zan_id, **FIELDS)


def sensitive_values(people: list[dict[str, Any]], zan_id: str) -> set[str]:
    """Return the values of the confidential and restricted fields of a marked person, one for each."""
    (person,) = [person for person in people if person["zan_id"] == zan_id]
    assert all(person[column] for column in SENSITIVE), person
    return {str(person[column]) for column in SENSITIVE}


def hits(texts: Collection[str], values: set[str]) -> list[tuple[str, str]]:
    """Return (value, text) for each value in a text."""
    return [(value, text[:300]) for text in texts for value in values if value in text]


def stored_texts(dsn: str) -> dict[str, list[str]]:
    """Return the rows of every table that holds no employees, as texts, by table."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        tables = conn.execute(
            "SELECT table_name FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
        ).fetchall()
        return {
            name: [str(row) for (row,) in conn.execute(f'SELECT t::text FROM "{name}" t'.encode())]
            for (name,) in tables
            if name not in OF_EMPLOYEES
        }


class Officer:
    """An officer in a browser. ``seen`` has every response to requests that reveal nothing."""

    def __init__(self, product: Product, conn: Connection) -> None:
        add_user(conn, "asha", "officer")
        self.http = product.browser()
        assert product.sign_in("asha", PASSWORD, self.http)
        self.csrf = self._read_token()
        self.seen: list[str] = []

    def _read_token(self) -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.http.get(PAGE).text)
        assert found
        return found[1]

    def get(self, path: str) -> httpx.Response:
        """Return the response to a GET."""
        return self._see(self.http.get(path))

    def press(self, path: str, **form: str) -> httpx.Response:
        """Send a form and follow its redirect."""
        data = {"csrf_token": self.csrf, **form}
        return self._see(self.http.post(path, data=data, follow_redirects=True))

    def ask(self, path: str, **body: Any) -> httpx.Response:
        """Send a request to the API."""
        return self._see(self.http.post(path, json=body, headers={"X-CSRFToken": self.csrf}))

    def reveal(self, employee_id: int) -> str:
        """Return the page that reveals a person."""
        data = {"csrf_token": self.csrf, "reason": REASON}
        answer = self.http.post(f"{PAGE}/{employee_id}", data=data)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        return answer.text

    def _see(self, answer: httpx.Response) -> httpx.Response:
        if answer.headers["Content-Type"].endswith("spreadsheetml.sheet"):
            self.seen.extend(unpack(answer.content))
        # The form of a search shows what the user typed.
        self.seen.append(re.sub(r'(<input id="words"[^>]* value=)"[^"]*"', r"\1", answer.text))
        return answer


def use_everything(officer: Officer, employee_id: int, values: set[str], run_id: int) -> None:
    """Search for a person by every value, look at it, export, and make errors with the values."""
    for value in sorted(values):
        officer.press(PAGE, words=value)
        officer.ask("/api/hrims/people/search", words=value)
        officer.ask("/api/hrims/people/search", words=value, more=value)
        assert officer.ask("/api/hrims/fetch-person", key=f"?{value}").status_code == 400
        assert officer.press(f"{PAGE}/fetch", key=f"?{value}").status_code == 400
        assert officer.press(PAGE, words=value * 20).status_code in {200, 400}
    for path in (
        f"{PAGE}/{employee_id}",
        f"/api/hrims/job-status/{run_id}",
        f"/api/hrims/sync-status/{run_id}",
        f"/dashboard/admin/runs/{run_id}",
        "/api/hrims/rejects",
        "/dashboard/admin/rejects",
        "/dashboard/admin/rejects/rejects.csv",
        "/dashboard/admin/rejects/rejects.xlsx",
    ):
        assert officer.get(path).status_code == 200, path
    for path in (f"{PAGE}/4711", f"{PAGE}/x", "/api/hrims/people/x/reveal", "/dashboard/admin/runs/4711"):
        assert officer.get(path).status_code in {404, 405}, path
