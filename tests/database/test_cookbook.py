"""Every query of docs/how-to/query-with-sql.md runs, on a database with a past, and answers its question."""

import asyncio
import platform
import re
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from tests import PROJECT
from tests.database.sample_history import ELECTIONS, FETCH_MS, HEALTH, MUFTI, WATER, SampleHistory
from tests.support.databases import clone

COOKBOOK = (PROJECT / "docs" / "how-to" / "query-with-sql.md").read_text(encoding="utf-8")
RECIPE = re.compile(r"^### (.+)\n(?:(?!#|```).*\n)*?```sql\n([^`]+)```$", re.MULTILINE)
QUERIES: dict[str, str] = dict(RECIPE.findall(COOKBOOK))
FEWEST = 12

Answer = list[dict[str, Any]]


@pytest.fixture(scope="module")
def told(server_dsn: str, template_database: str) -> Iterator[str]:
    """Provide the DSN of a database with the whole sample history; tests only read it."""

    async def tell(dsn: str) -> None:
        async with AsyncConnectionPool(dsn, min_size=1, max_size=6, open=False) as pool:
            with psycopg.connect(dsn, autocommit=True) as conn:
                await SampleHistory(conn, pool).build()

    with clone(server_dsn, template_database) as dsn:
        asyncio.run(tell(dsn))
        yield dsn


def answer(dsn: str, question: str) -> Answer:
    """Return what the cookbook's query returns to a read-only user."""
    reader = psycopg.connect(dsn, autocommit=True, options="-c default_transaction_read_only=on")
    with reader, reader.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(QUERIES[question].encode()).fetchall()


def test_every_question_has_one_query_and_every_query_is_run() -> None:
    assert len(QUERIES) >= FEWEST
    assert list(QUERIES) == re.findall(r"^#{3,} (.+)$", COOKBOOK, re.MULTILINE)
    fences = [line.strip() for line in COOKBOOK.splitlines() if line.lstrip().startswith(("```", "~~~"))]
    assert fences == ["```sql", "```"] * len(QUERIES)
    for query in QUERIES.values():
        assert query.endswith(";\n")
        assert query.count(";") == 1


@pytest.mark.parametrize("question", QUERIES)
def test_a_query_finds_something(told: str, question: str) -> None:
    assert answer(told, question)


ANSWERS: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "Who arrived this month?": (
        "institution zan_id first_job_id",
        [(HEALTH, "580330021", 5), (HEALTH, "580330022", 5)],
    ),
    "Who left this month, and by which run was it noticed?": (
        "institution zan_id left_job_id requested_by approved_by",
        [(HEALTH, "580330017", 5, "asha", None)],
    ),
    "Who was transferred in the last 90 days?": (
        "zan_id no_longer_listed_by works_at job_id",
        [("580330020", HEALTH, WATER, 5)],
    ),
    "What ever happened to one person?": (
        "what old new job_id requested_by",
        [
            ("met first", None, None, 1, None),
            ("cadre", "Afisa Mipango II", "Daktari I", 4, "asha"),
            ("salary_scale", "ZPSE-05", "ZPSG-02", 4, "asha"),
        ],
    ),
    "How many people work at each institution?": (
        "institution people confirmed",
        [(ELECTIONS, 4, 4), (HEALTH, 18, 18), (WATER, 9, 9), (None, 2, 2)],
    ),
    "How are salary scales and cadres distributed?": (
        "salary_scale cadre people",
        [
            ("ZPSE-05", "Afisa Mipango II", 15),
            ("ZPSG-02", "Daktari I", 2),
            ("ZPSE-06", "Afisa Mipango II", 1),
        ],
    ),
    "Who retires in the next year?": (
        "institution zan_id",
        [(HEALTH, "580330001"), (HEALTH, "580330002")],
    ),
    "Which payroll numbers does more than one person bear?": (
        "payroll_number people zan_ids institutions",
        [("963777", 2, "580330018, 580330019", HEALTH)],
    ),
    "What is empty in the records, by institution?": (
        "institution people without_birth_date without_payroll_number without_employment_date",
        [(ELECTIONS, 4, 0, 0, 4), (HEALTH, 18, 0, 1, 18), (WATER, 9, 0, 0, 9), (None, 2, 0, 0, 2)],
    ),
    "Which fields change most?": (
        "field changes people",
        [
            ("current_workplace", 3, 3),
            ("ministry", 3, 3),
            ("salary_scale", 2, 2),
            ("cadre", 1, 1),
            ("institution", 1, 1),
        ],
    ),
    "Who works at a name that the register does not know?": (
        "workplace people first_five",
        [("Hospitali ya Pwani", 2, "580330005, 580330006")],
    ),
    "Who is listed by one institution and works at another?": (
        "listed_by identifier_type works_at people",
        [(HEALTH, "votecode", None, 2)],
    ),
    "Which institutions have not been complete for a week?": (
        "institution vote_code",
        [(MUFTI, "040"), (ELECTIONS, "037")],
    ),
    "How old is each institution's last complete run?": (
        "institution job_id employee_count days_old",
        [(MUFTI, None, None, None), (ELECTIONS, 3, 4, 35), (HEALTH, 5, 20, 0), (WATER, 7, 4, 0)],
    ),
    "Does each institution's last run add up?": (
        "institution job_id state outcome remote_total employee_count rejected missing",
        [
            (ELECTIONS, 9, "failed", None, None, 0, 0, None),
            (HEALTH, 5, "completed", "complete", 22, 20, 2, 0),
            (WATER, 7, "completed", "complete", 4, 4, 0, 0),
        ],
    ),
    "What became of the runs of the last seven days?": (
        "state outcome runs new leavers missing",
        [
            ("completed", "complete", 3, 2, 1, 0),
            ("waiting", None, 2, 0, 0, None),
            ("active", None, 1, 0, 0, None),
            ("cancelled", None, 1, 0, 0, None),
            ("completed", "incomplete", 1, 0, 0, 2),
            ("failed", None, 1, 0, 0, None),
        ],
    ),
    "Which rejects are open, by reason?": (
        "code records institutions met_at_most",
        [("bad_date", 2, 1, 1), ("no_zan_id", 1, 1, 1)],
    ),
    "Which leavers wait for a second person?": (
        "institution people listed asked_by why",
        [(WATER, 5, 9, "juma", "5 people would leave, 55.6 % of the list, which is more than 5 %.")],
    ),
    "What does the queue do now, and why do runs wait?": (
        "place job_id institution state priority requested_by why",
        [
            (1, 11, MUFTI, "active", "normal", "juma", None),
            (2, 12, WATER, "waiting", "urgent", "asha", "paused"),
            (3, 13, HEALTH, "waiting", "normal", "binti", "paused"),
        ],
    ),
    "May runs start at all?": (
        "starts_per_minute a_person_said_so paused_by paused_why hrims_trouble",
        [(100, True, "binti", "Mwisho wa mwezi", None)],
    ),
    "Which workers are there, and what does each do?": (
        "host pool alive capacity job_id institution",
        [("host", None, True, 2, 11, MUFTI)],
    ),
    "What became of each batch?": (
        "batch_id wish requested_by institutions joined skipped under_way complete finished_at",
        [(1, "selection", "binti", 2, 1, 0, 2, 0, None)],
    ),
    "Which attempts failed this week, on which host and why?": (
        "host ended_as trouble_code attempts runs",
        [(platform.node(), "failed", "remote_failed", 2, 1)],
    ),
    "How long does HRIMS take for a page, and how fast do people come?": (
        "runs pages seconds_a_page",
        [(4, 4, FETCH_MS / 1000), (1, 1, FETCH_MS / 1000)],
    ),
    "Which webhook messages failed, and what did the receiver answer?": (
        "endpoint active event job_id tries last_status",
        [(1, False, "run.failed", 9, 1, 410)],
    ),
    "Who asked for which run, from where, and what became of it?": (
        "actor via job_id institution state outcome",
        [
            ("binti", "page", 13, HEALTH, "waiting", None),
            ("asha", "page", 12, WATER, "waiting", None),
            ("juma", "page", 11, MUFTI, "active", None),
            ("asha", "page", 10, MUFTI, "cancelled", None),
            ("asha", "page", 9, ELECTIONS, "failed", None),
            ("asha", "page", 8, ELECTIONS, "completed", "incomplete"),
            ("juma", "page", 7, WATER, "completed", "complete"),
            ("juma", "page", 6, WATER, "completed", "complete"),
            ("asha", "page", 5, HEALTH, "completed", "complete"),
            ("asha", "page", 4, HEALTH, "completed", "complete"),
            ("asha", "page", 3, ELECTIONS, "completed", "complete"),
            ("juma", "page", 2, WATER, "completed", "complete"),
            ("asha", "page", 1, HEALTH, "completed", "complete"),
        ],
    ),
    "Which names mean an institution because a person said so?": (
        "workplace institution people mapped_by",
        [("Chuo cha Afya", HEALTH, 1, "juma")],
    ),
    "Who tried to sign in and could not?": ("subject times", [("user:asha", 1)]),
    "Who may do what?": (
        "who name rights answers ended",
        [
            ("machine", "payroll", "read", "binti", None),
            ("person", "asha", "officer", "asha", None),
            ("person", "binti", "administrator", "binti", None),
            ("person", "juma", "supervisor", "juma", None),
            ("person", "omar", "officer", "omar", None),
        ],
    ),
}
"""Question: the columns that are looked at, and what they hold."""


@pytest.mark.parametrize("question", ANSWERS)
def test_an_answer_is_right(told: str, question: str) -> None:
    columns, rows = ANSWERS[question]
    assert [tuple(row[name] for name in columns.split()) for row in answer(told, question)] == rows


def test_every_start_of_the_hour_is_listed(told: str) -> None:
    found = answer(told, "How many runs started in each minute of the last hour?")
    starts = [run for row in reversed(found) for run in row["job_ids"]]
    assert starts == [5, 6, 7, 8, 9, 9, 11]
    assert sum(row["starts"] for row in found) == len(starts)


def test_a_failed_attempt_shows_its_error(told: str) -> None:
    [last, first] = answer(told, "What did the latest failed attempts say at the end?")
    assert (first["job_id"], first["attempt"], last["attempt"]) == (9, 1, 2)
    assert last["trouble"] == "HRIMS is busy."
    assert 'run=9 attempt=2 code=remote_failed message="HRIMS is busy."' in last["last_lines"]


def test_decisions_are_listed_with_their_actor(told: str) -> None:
    found = answer(told, "Who decided what, besides asking for runs?")
    deeds = [(row["actor"], row["action"]) for row in reversed(found)]
    assert deeds == [
        *[("admin", "user.add")] * 4,
        ("binti", "token.add"),
        ("binti", "queue.limit"),
        ("juma", "workplace.map"),
        ("binti", "webhook.add"),
        ("worker", "webhook.off"),
        ("asha", "run.cancel"),
        ("binti", "run.priority"),
        ("binti", "queue.pause"),
    ]


def test_the_read_only_role_of_the_cookbook_reads_every_view(told: str) -> None:
    views = re.findall(r"`(\w+_v)`", COOKBOOK.split("## People", maxsplit=1)[0])
    role = f"analyst_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(told, autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {role}".encode())
        tables = ", ".join({*views, "queue_settings", "run_starts"})
        conn.execute(f"GRANT SELECT ON {tables} TO {role}".encode())
        try:
            conn.execute(f"SET ROLE {role}".encode())
            for view in views:
                conn.execute(f"SELECT * FROM {view}".encode())
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("SELECT FROM webhook_endpoints")
        finally:
            conn.execute(f"RESET ROLE; DROP OWNED BY {role}; DROP ROLE {role}".encode())
