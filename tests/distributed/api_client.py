"""A machine that uses the API, as any integrator's would: wishes go in, answers and events come out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.support.event_stream import Event, parse_events


class ApiClient:
    """One client with a token."""

    def __init__(self, url: str, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=f"{url}/api/hrims", headers=headers, timeout=60, trust_env=False)

    def enqueue(self, vote: str, page_size: int = 25) -> int:
        """Enqueue a run and return its id."""
        listed = self._told(self.http.get("/institutions"))["institutions"]
        institution = next(item for item in listed if item["voteNumber"] == vote)
        body = {
            "institutionId": institution["id"],
            "identifierType": "votecode",
            "voteNumber": vote,
            "pageSize": page_size,
        }
        return int(self._told(self.http.post("/fetch-by-institution", json=body))["jobId"])

    def job(self, run_id: int) -> dict[str, Any]:
        """Return the state of the run."""
        return self._told(self.http.get(f"/job-status/{run_id}"))

    def cancel(self, run_id: int) -> None:
        """Cancel the run."""
        self._told(self.http.post(f"/jobs/{run_id}/cancel"))

    def answers(self) -> bool:
        """Return whether the product answers what needs the database."""
        try:
            return self.http.get("/institutions").status_code == 200
        except httpx.HTTPError:
            return False

    @contextmanager
    def follow(self, run_id: int) -> Iterator[Iterator[Event]]:
        """Provide the run's events, as they come."""
        with self.http.stream("GET", f"/sync-status/{run_id}") as answer:
            assert answer.status_code == 200
            yield parse_events(answer.iter_lines())

    def _told(self, answer: httpx.Response) -> dict[str, Any]:
        assert answer.status_code in {200, 202}, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def close(self) -> None:
        """Hang up."""
        self.http.close()
