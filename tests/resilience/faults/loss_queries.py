"""Queries of the harness after a fault, and the types of their results."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Loss(NamedTuple):
    """An attempt whose worker was lost, and when, by the database's clock."""

    run: int
    number: int
    at: datetime


@dataclass
class Lists:
    """The ZanIDs of one institution as HRIMS and Postgres list them, with repeats."""

    vote: str
    listed: list[str]
    saved: list[str]

    @property
    def lost(self) -> set[str]:
        """Return those listed and not saved."""
        return set(self.listed) - set(self.saved)

    @property
    def twice(self) -> int:
        """Return how many are saved more than once."""
        return len(self.saved) - len(set(self.saved))


SAVED = """
SELECT e.zan_id FROM listings l JOIN employees e ON e.id = l.employee_id
JOIN institutions i ON i.id = l.institution_id WHERE i.vote_code = '{}'
"""

UNDER_WAY = """
SELECT a.run_id, a.number FROM run_attempts a JOIN runs r ON r.id = a.run_id AND r.attempt = a.number
WHERE a.pid = {} AND a.ended_at IS NULL AND r.state = 'active' ORDER BY 1
"""

FOLLOWED = """
SELECT extract(epoch FROM n.started_at - '{}')::float8
FROM run_attempts a JOIN run_attempts n ON n.run_id = a.run_id AND n.number = a.number + 1
WHERE a.run_id = {} AND a.number = {} AND a.ended_as <> 'finished'
"""

BY_WORKER = """
SELECT a.pid, count(*) FROM run_pages p JOIN run_attempts a ON a.run_id = p.run_id AND a.number = p.attempt
GROUP BY a.pid
"""

LIVE = """
SELECT (SELECT count(*) FROM workers WHERE ended_at IS NULL AND last_beat > now() - interval '{} seconds'),
       (SELECT count(*) FROM pg_stat_activity
        WHERE application_name LIKE 'hrims worker%'
          AND (query LIKE 'LISTEN "procrastinate_queue%' OR query = 'SELECT 1'))
"""
"""A listening connection has sent LISTEN, or lately the check of its connection; no other sends these."""

LATE = """
SELECT p.run_id, p.attempt, a.ended_as, p.saved_at, pg_xact_commit_timestamp(p.xmin),
       a.started_at, a.ended_at, pg_xact_commit_timestamp(a.xmin)
FROM run_pages p LEFT JOIN run_attempts a ON a.run_id = p.run_id AND a.number = p.attempt
WHERE a.number IS NULL OR pg_xact_commit_timestamp(p.xmin) IS NULL
   OR p.saved_at NOT BETWEEN a.started_at AND coalesce(a.ended_at, 'infinity')
   OR a.ended_at IS NOT NULL AND pg_xact_commit_timestamp(p.xmin) > pg_xact_commit_timestamp(a.xmin)
"""
"""Pages of no attempt, saved before theirs began, or committed after it was ended."""

TOLD = """
SELECT r.*, a.*, p.*, j.* FROM
  (SELECT json_agg(to_json(x) ORDER BY x.id)::text FROM runs x WHERE id = {0}) r,
  (SELECT json_agg(to_json(x) ORDER BY x.number)::text FROM run_attempts x WHERE run_id = {0}) a,
  (SELECT json_agg(json_build_array(x.xmin::text, to_json(x)) ORDER BY reading, page_size, page_number)::text
   FROM run_pages x WHERE run_id = {0}) p,
  (SELECT json_agg(json_build_array(x.id, x.status, (
      SELECT json_agg(e.type ORDER BY e.id) FROM procrastinate_events e WHERE e.job_id = x.id)))::text
   FROM procrastinate_jobs x WHERE x.args ->> 'run_id' = '{0}') j
"""
"""All that is told of a run: its row, attempts, pages and who wrote them, and what became of its jobs."""

JOB = """
SELECT j.status::text, count(*) FILTER (WHERE e.type IN ('succeeded', 'failed', 'aborted', 'cancelled'))
FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id JOIN procrastinate_events e ON e.job_id = j.id
WHERE r.id = {} GROUP BY j.id
"""
