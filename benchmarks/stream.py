"""Time from the request to the first server-sent event of a run: at most 100 ms."""

import contextlib
import time
from collections.abc import Iterator

import httpx

from benchmarks.web_environment import WebEnvironment, line, percentile, web_environment
from hrims.access.actor import system
from hrims.jobs import enqueue

TIMES = 300
LIMIT = 0.100


def main() -> None:
    """Print both beside the latency of an empty request."""
    with web_environment() as on:
        job = enqueue.enqueue_run(
            on.conn,
            system("benchmark"),
            institution_id=1,
            identifier_type="votecode",
            identifier="001",
        ).run_id
        plain = [_empty(on) for _ in range(TIMES)]
        first = [_first(on, job) for _ in range(TIMES)]
    print(line("an empty request", plain))
    print(line("the first event", first, plain))
    verdict = "holds" if percentile(first, 99) < LIMIT else "DOES NOT HOLD"
    print(f"  {TIMES} times; the first within {LIMIT * 1000:.0f} ms at the 99th percentile: {verdict}")


def _empty(on: WebEnvironment) -> float:
    started_at = time.perf_counter()
    on.http.get("/healthz")
    return time.perf_counter() - started_at


def _first(on: WebEnvironment, job: int) -> float:
    started_at = time.perf_counter()
    with _joined(on, job) as answer:
        next(answer.iter_lines())
        return time.perf_counter() - started_at


@contextlib.contextmanager
def _joined(on: WebEnvironment, job: int) -> Iterator[httpx.Response]:
    while True:
        with on.http.stream("GET", f"/api/hrims/sync-status/{job}") as answer:
            if answer.status_code == 200:
                yield answer
                return
        # The server notices closed streams, and frees their places, only when it next sends to them.
        _touch(on, job)


def _touch(on: WebEnvironment, job: int) -> None:
    on.conn.execute("UPDATE run_progress SET saved = saved + 1 WHERE run_id = %s", (job,))


if __name__ == "__main__":
    main()
