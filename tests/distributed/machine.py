"""A machine that uses the API, as any integrator's would: wishes go in, answers and events come out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

Event = tuple[str, dict[str, Any]]


class Machine:
    """One client with a token."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=f"{url}/api/hrims", headers=headers, timeout=60, trust_env=False)

    def ask(self, vote: str, page_size: int = 25) -> int:
        """Queues a run; returns its id."""
        listed = self._told(self.http.get("/institutions"))["institutions"]
        institution = next(one for one in listed if one["voteNumber"] == vote)
        wish = {
            "institutionId": institution["id"],
            "identifierType": "votecode",
            "voteNumber": vote,
            "pageSize": page_size,
        }
        return int(self._told(self.http.post("/fetch-by-institution", json=wish))["jobId"])

    def job(self, run_id: int) -> dict[str, Any]:
        """How the run stands."""
        return self._told(self.http.get(f"/job-status/{run_id}"))

    def cancel(self, run_id: int) -> None:
        """Cancels the run."""
        self._told(self.http.post(f"/jobs/{run_id}/cancel"))

    def answers(self) -> bool:
        """Whether the product answers what needs the database."""
        try:
            return self.http.get("/institutions").status_code == 200
        except httpx.HTTPError:
            return False

    @contextmanager
    def follow(self, run_id: int) -> Iterator[Iterator[Event]]:
        """The run's events, as they come."""
        with self.http.stream("GET", f"/sync-status/{run_id}") as answer:
            assert answer.status_code == 200
            yield _events(answer.iter_lines())

    def _told(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code in {200, 202}, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def close(self) -> None:
        """Hangs up."""
        self.http.close()


def _events(lines: Iterator[str]) -> Iterator[Event]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
