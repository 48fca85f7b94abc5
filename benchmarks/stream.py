"""When the first server-sent event of a run comes, from the request. At most 100 ms.

Also how long after a page's commit its progress arrives.
"""

import contextlib
import time
from collections.abc import Iterator

import httpx

from benchmarks.stage import Stage, line, percentile, stage
from hrims.access.audit import Actor
from hrims.jobs import ask

TIMES = 300
LIMIT = 0.100


def main() -> None:
    """Prints both beside the cost of an empty request."""
    with stage() as on:
        job = ask.ask(
            on.conn,
            Actor("benchmark", "system"),
            institution_id=1,
            identifier_type="votecode",
            identifier="001",
        ).run_id
        plain = [_empty(on) for _ in range(TIMES)]
        first = [_first(on, job) for _ in range(TIMES)]
        later = list(_later(on, job))
    print(line("an empty request", plain))
    print(line("the first event", first, plain))
    print(line("an event after its commit", later, plain))
    verdict = "holds" if percentile(first, 99) < LIMIT else "DOES NOT HOLD"
    print(f"  {TIMES} times; the first within {LIMIT * 1000:.0f} ms at the 99th percentile: {verdict}")


def _empty(on: Stage) -> float:
    began = time.perf_counter()
    on.http.get("/healthz")
    return time.perf_counter() - began


def _first(on: Stage, job: int) -> float:
    began = time.perf_counter()
    with _joined(on, job) as answer:
        next(answer.iter_lines())
        return time.perf_counter() - began


def _later(on: Stage, job: int) -> Iterator[float]:
    with _joined(on, job) as answer:
        events = _data(answer)
        next(events), next(events)
        for _ in range(TIMES // 10):
            began = time.perf_counter()
            _touch(on, job)
            next(events)
            yield time.perf_counter() - began


@contextlib.contextmanager
def _joined(on: Stage, job: int) -> Iterator[httpx.Response]:
    while True:
        with on.http.stream("GET", f"/api/hrims/sync-status/{job}") as answer:
            if answer.status_code == 200:
                yield answer
                return
        # The places of streams just closed are free when the server next speaks to them.
        _touch(on, job)


def _data(answer: httpx.Response) -> Iterator[str]:
    return (text for text in answer.iter_lines() if text.startswith("data: "))


def _touch(on: Stage, job: int) -> None:
    on.conn.execute("UPDATE run_progress SET saved = saved + 1 WHERE run_id = %s", (job,))


if __name__ == "__main__":
    main()
