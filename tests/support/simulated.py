"""A real simulator process for tests: ``Simulator`` starts it on a free port, ``simulator`` is the
fixture. Import the fixture where it is used, or name this module in ``pytest_plugins``."""

import json
import os
import ssl
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx
import pytest

from tests.support.fork_server import ForkedProcess

START_SECONDS = 30

PLAIN = ssl.create_default_context()
"""Made once: clients make one each, though no test needs it, and that takes longer than asking."""


class Simulator:
    """One simulator. ``url`` is the base that clients post ``/Employees`` to.

    ``sizes`` are people by vote code or TIN; ``behaviour`` is all that ``control`` takes.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        scale: float = 1.0,
        sizes: dict[str, int] | None = None,
        api_key: str = "",
        token: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
        **behaviour: Any,
    ) -> None:
        command = ["-m", "hrims.simulator", f"--seed={seed}", f"--scale={scale}"]
        command += [f"--size={key}={count}" for key, count in (sizes or {}).items()]
        command += [f"--api-key={api_key}", f"--token={token}", f"--host={host}", f"--port={port}"]
        command += ["--behaviour", json.dumps(behaviour)]
        read, write = os.pipe()
        self.output = os.fdopen(read)
        with os.fdopen(write, "wb") as output:
            self.process = ForkedProcess("python", *command, stdout=output)
        self.url = self._ready()
        self.http = httpx.Client(base_url=self.url, timeout=START_SECONDS, trust_env=False, verify=PLAIN)

    def _ready(self) -> str:
        line = self.output.readline()
        assert line.startswith("simulator listening on "), f"the simulator did not start: {line!r}"
        return line.rpartition(" ")[2].strip()

    # behaviour

    def control(self, **changes: Any) -> None:
        """Change the behaviour: ``latency_ms``, ``failure_rate``, ``down`` … (see Behaviour)."""
        self._put("/_control", changes)

    def fail(self, kind: str = "body500", **fault: Any) -> None:
        """Add a fault: ``page``, ``size``, ``vote``, ``tin``, ``times``, ``rate``, details."""
        self._post("/_control/faults", {"kind": kind, **fault})

    def reset(self) -> None:
        """Reset behaviour, counters and holds. People stay as they are."""
        self._post("/_control/reset", {})

    def hold(self, **match: Any) -> int:
        """Hold requests (``page``, ``size``, ``vote``, ``tin``, ``operation``) after the first
        ``after``; returns the number to release them by."""
        return int(self._post("/_control/hold", match)["hold"])

    def release(self, hold: int | None = None) -> None:
        """Release the requests of this hold, or of all."""
        self._post("/_control/release", {"hold": hold})

    # counters

    def counters(self) -> dict[str, Any]:
        """Return ``requests``, ``answered``, ``failed``, ``left``, ``in_flight``, ``max_in_flight``,
        ``held``, ``failures`` by kind, ``pages``, and ``log`` with monotonic times."""
        shown: dict[str, Any] = self._get("/_control", {})["counters"]
        return shown

    def request_counts(self, **match: Any) -> dict[int, int]:
        """Return the number of requests by page number, of the entries of ``pages`` that match
        (``operation``, ``key``, ``size``)."""
        return self._pages("asked", match)

    def response_counts(self, **match: Any) -> dict[int, int]:
        """Return the number of complete responses by page number."""
        return self._pages("answered", match)

    def _pages(self, figure: str, match: dict[str, Any]) -> dict[int, int]:
        times: Counter[int] = Counter()
        for page in self.counters()["pages"]:
            if page[figure] and all(page[name] == value for name, value in match.items()):
                times[page["page"]] += page[figure]
        return dict(times)

    def wait_for(self, *, timeout: float = 60, **figures: int) -> None:
        """Wait until counters (``requests``, ``answered``, ``held``, ``in_flight`` …) reach these values."""
        state = self._get("/_control/wait", {"timeout": timeout, **figures})
        assert state["reached"], f"waited {timeout} s for {figures}, found {state}"

    def wait_for_requests(self, count: int, *, timeout: float = 60) -> None:
        """Wait until ``count`` Employees requests have arrived in all."""
        self.wait_for(timeout=timeout, requests=count)

    # people

    def people(self, **institution: str) -> list[dict[str, Any]]:
        """Return the people that ``vote`` or ``tin`` lists now, in order; without either, all people.

        They have the columns of the contract as they should be saved, and ``institution``, the register's
        name of their workplace or None.
        """
        people: list[dict[str, Any]] = self._get("/_control/people", institution)["people"]
        return people

    def add_people(self, **given: Any) -> list[str]:
        """Add people: ``vote`` or ``tin``, ``count``, ``at``, ``workplace``, ``fields``. Return ZanIDs."""
        return self._zan_ids("add", given)

    def remove_people(self, *zan_ids: str, **institution: str) -> list[str]:
        """Remove people from the list of ``vote`` or ``tin``, or from all lists."""
        return self._zan_ids("remove", {"zanIds": zan_ids, **institution})

    def change_person(self, zan_id: str, **fields: Any) -> list[str]:
        """Change a person: ``workplace="…"``, or paths: ``**{"personalInfo.firstName": "Asha"}``."""
        return self._zan_ids("change", {"zanId": zan_id, "fields": fields})

    def move_person(self, *, start: int, end: int, **institution: str) -> list[str]:
        """Move a person from one index of a list to another."""
        return self._zan_ids("move", {"from": start, "to": end, **institution})

    def make_people(self, **institution: str) -> None:
        """Create all people of this list in advance, so that a benchmark measures the client."""
        _read_json(self.http.post("/_control/people/make", json=institution, timeout=600))

    def _zan_ids(self, act: str, given: dict[str, Any]) -> list[str]:
        zan_ids: list[str] = self._post(f"/_control/people/{act}", given)["zanIds"]
        return zan_ids

    # HTTP and the process

    def _get(self, path: str, query: dict[str, Any]) -> dict[str, Any]:
        return _read_json(self.http.get(path, params=query))

    def _put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _read_json(self.http.put(path, json=body))

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return _read_json(self.http.post(path, json=body))

    def close(self) -> None:
        """Stop the process, also when it was stopped before."""
        self.http.close()
        self.process.terminate()
        self.process.wait(START_SECONDS)
        self.output.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        reason: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _read_json(response: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert response.status_code == 200, body
    return body


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Provide a simulator of the whole register that answers at once."""
    with Simulator() as running:
        yield running
