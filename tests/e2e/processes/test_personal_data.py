"""Nothing personal in logs, metrics, traces, error reports, jobs, webhooks, audit records, masked pages."""

import gzip
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
from pytest_httpserver import HTTPServer

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.e2e.processes import marks
from tests.e2e.processes.marks import MARK
from tests.e2e.processes.product import HRIMS, TIMEOUT, Product, wait_until
from tests.support.receiver import Receiver
from tests.support.served import free_port
from tests.support.simulated import Simulator

PERSONAL = ("zan_id", "payroll_number", "name", "phone_number", "email", "birth_date")

PATHS = ("/v1/traces", "/api/1/envelope/")
"""Where traces and error reports are sent."""

UNRELATED = {"timestamp", "at", "request_id", "address", "host"}
"""Fields whose digits may equal the number of an employee by chance."""

MIN_LENGTH = 5
"""The minimum length of a value that is looked for."""


def values_of(people: list[dict[str, Any]]) -> set[str]:
    """Return the values that must not be logged: whole ones, and the single names of each person."""
    whole = {str(person[key]) for person in people for key in PERSONAL if person.get(key)}
    single = {word for person in people for word in person["name"].split()}
    return {value for value in whole | single if len(value) >= MIN_LENGTH} | {MARK}


def strings(value: Any) -> Iterator[str]:
    """Yield every text and number in a value of JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in UNRELATED:
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str) or (isinstance(value, int) and value > 10**7):
        yield str(value)


def shown(lines: str, personal: set[str]) -> list[str]:
    """Return the lines of JSON that show one of the values."""
    found = []
    for line in lines.splitlines():
        text = "\n".join(strings(json.loads(line)))
        if (
            MARK in text
            or set(re.findall(r"[\w@.+-]+", text)) & personal
            or any(value in text for value in personal if " " in value)
        ):
            found.append(line)
    return found


def search(product: Product, token: str, words: str) -> None:
    """Search for a person through the API, and through an address that does not exist."""
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=product.address, headers=headers, trust_env=False, timeout=TIMEOUT) as http:
        answer = http.post("/api/hrims/people/search", json={"words": words})
        assert answer.status_code == 200, answer.text
        assert answer.json()["people"], answer.text
        assert http.get(f"/api/hrims/people/{words}").status_code in {400, 404}
        assert http.get("/api/hrims/people", params={"words": words}).status_code in {400, 404, 405}
        assert http.get(f"/people/{words}?name={words}").status_code == 404


REFUSED = "ALTER TABLE employees ADD CONSTRAINT refused CHECK (name = '') NOT VALID"
"""Makes PostgreSQL refuse each page with an error that repeats the row."""


def collector(httpserver: HTTPServer) -> dict[str, str]:
    """Accept traces and error reports. Return the settings that send them there."""
    httpserver.expect_request("/v1/traces").respond_with_data(b"")
    httpserver.expect_request("/api/1/envelope/").respond_with_json({"id": "1"})
    return {
        "OTEL_EXPORTER_OTLP_ENDPOINT": httpserver.url_for(""),
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "SENTRY_DSN": httpserver.url_for("/1").replace("://", "://public@"),
        "HRIMS_METRICS_OPEN": "yes",
        "HRIMS_METRICS_PORT": str(free_port()),
        "HRIMS_ATTEMPTS": "1",
    }


def scrape(settings: dict[str, str], product: Product) -> list[bytes]:
    """Return the metrics of the web process and of the worker."""
    addresses = [product.address, f"http://127.0.0.1:{settings['HRIMS_METRICS_PORT']}"]
    return [
        httpx.get(f"{address}/metrics", trust_env=False, timeout=TIMEOUT).content for address in addresses
    ]


def bodies(httpserver: HTTPServer, path: str) -> list[bytes]:
    """Return what was sent to a path, unpacked."""
    requests = [request for request, _ in httpserver.log if request.path == path]
    return [
        gzip.decompress(request.get_data())
        if "gzip" in request.headers.get("Content-Encoding", "")
        else request.get_data()
        for request in requests
    ]


def is_in_text(value: str, text: bytes) -> bool:
    """Return whether a text has this value, not only as digits of a longer number such as a time."""
    return re.search(rb"(?<!\d)(?<!\d\.)" + re.escape(value.encode()) + rb"(?!\d)", text) is not None


def test_no_line_metric_trace_or_report_is_personal(
    migrated: Path, tmp_path: Path, httpserver: HTTPServer
) -> None:
    plain_log = tmp_path / "plain.log"
    with Simulator(sizes={"001": 60, "002": 40}, scale=0.05) as simulator:
        people = [*simulator.people(vote="001"), *simulator.people(vote="002")]
        person = people[7]
        simulator.change_person(people[3]["zan_id"], **{"personalInfo.firstName": MARK})
        path = "personalInfo.birthDate"
        simulator.fail("wrong_types", vote="001", page=2, times=1, index=4, path=path, value=[MARK])
        simulator.fail("wrong_types", vote="002", page=1, times=1, index=4, path=path, value=[MARK])
        simulator.fail("garbage", page=1, times=1)
        settings = {"HRIMS_LOG_FORMAT": "json", "HRIMS_LOG_LEVEL": "debug", "HRIMS_BASE_URL": simulator.url}
        settings |= collector(httpserver)
        product = Product(migrated, **settings).up()
        with psycopg.connect(product.dsn, autocommit=True) as conn:
            importer.seed(conn, DEMO_REGISTER)
        token = product.hrims("token", "add", "nightly").stdout.split()[-1]
        printed = [product.hrims("sync", "--vote", "001", "--page-size", "20")]
        simulator.fail("body500", operation="202", times=1)
        printed.append(product.hrims("sync", "--person", "-", stdin=person["zan_id"]))
        printed.append(product.hrims("sync", "--person", "-", stdin="999999999"))
        search(product, token, person["zan_id"])
        search(product, token, person["name"].split()[0])
        with plain_log.open("wb") as output:
            plain = subprocess.Popen(
                [str(Path(HRIMS).with_name("procrastinate")), "--app=hrims.jobs.queue.app", "worker"],
                env={**product.env(), "HRIMS_POOL": "", "HRIMS_METRICS_PORT": "0"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: "worker_started" in plain_log.read_text(), plain_log.read_text)
        printed.append(product.hrims("sync", "--vote", "002", "--page-size", "20"))
        printed.append(product.hrims("sync", "--person", "-", stdin=person["payroll_number"]))
        with psycopg.connect(product.dsn, autocommit=True) as conn:
            conn.execute(REFUSED)
        printed.append(product.hrims("sync", "--vote", "002", "--page-size", "20"))
        metrics = scrape(settings, product)
        plain.send_signal(signal.SIGTERM)
        assert plain.wait(TIMEOUT) == 0
        assert product.stop() == 0
    assert [one.returncode for one in printed] == [0, 0, 1, 0, 0, 1], printed
    logs = {path.name: path.read_text() for path in (migrated / "log").iterdir()}
    assert set(logs) == {"postgres.log", "web.log", "worker.log"}
    personal = values_of(people)
    assert {"request_served", "run_ended"} <= {
        json.loads(line)["event"] for text in logs.values() for line in text.splitlines()
    }
    for text in (*logs.values(), plain_log.read_text()):
        assert shown(text, personal) == []
    assert MARK not in (migrated / "postgres" / "postgres.log").read_text()
    traces, reports = bodies(httpserver, "/v1/traces"), bodies(httpserver, "/api/1/envelope/")
    assert b"save page" in b"".join(traces)
    assert b"attempt_failed" in b"".join(reports)
    assert b"hrims_pages_saved_total" in b"".join(metrics)
    assert [value for value in personal if value.encode() in b"".join(traces)] == []
    assert [value for value in personal if is_in_text(value, b"".join([*reports, *metrics]))] == []


def add_receiver(product: Product, url: str) -> None:
    """Add a webhook endpoint."""
    token = product.hrims("token", "add", "manager", "--scope", "manage").stdout.split()[-1]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=product.address, headers=headers, trust_env=False, timeout=TIMEOUT) as http:
        assert http.post("/api/hrims/webhooks", json={"url": url}).status_code == 201


def test_marked_values_appear_only_where_they_are_revealed(migrated: Path, httpserver: HTTPServer) -> None:
    with Simulator(sizes={"001": 60}, scale=0.05) as simulator, Receiver() as receiver:
        marked = simulator.people(vote="001")[3]["zan_id"]
        marks.mark(simulator, marked)
        rejected = simulator.people(vote="001")[7]["zan_id"]
        values = marks.sensitive_values(simulator.people(vote="001"), marked)
        assert len(values) == len(marks.SENSITIVE)
        simulator.change_person(
            rejected, **{"personalInfo.birthDate": MARK, "personalInfo.payrollNumber": f"{MARK}77"}
        )
        settings = {"HRIMS_LOG_FORMAT": "json", "HRIMS_LOG_LEVEL": "debug", "HRIMS_BASE_URL": simulator.url}
        settings |= collector(httpserver) | {"HRIMS_WEBHOOK_PRIVATE": "yes"}
        product = Product(migrated, **settings).up()
        with psycopg.connect(product.dsn, autocommit=True) as conn:
            importer.seed(conn, DEMO_REGISTER)
            officer = marks.Officer(product, conn)
        add_receiver(product, receiver.url)
        printed = [product.hrims("sync", "--vote", "001")]
        simulator.change_person(marked, **{"personalInfo.primaryPhone": f"{MARK} 0778877882"})
        printed.append(product.hrims("sync", "--vote", "001"))
        printed.append(product.hrims("sync", "--person", "-", stdin=marked))
        values |= {MARK, "0778877882", rejected}
        with psycopg.connect(product.dsn, autocommit=True) as conn:
            ((employee_id,),) = conn.execute("SELECT id FROM employees WHERE zan_id = %s", (marked,))
            marks.use_everything(officer, employee_id, values, run_id=1)
            revealed = officer.reveal(employee_id)
            officer.http.close()
            conn.execute(REFUSED)
        # PostgreSQL repeats the whole row in its error.
        simulator.change_person(marked, **{"personalInfo.street": f"{MARK} Mtaa mwingine"})
        printed.append(product.hrims("sync", "--vote", "001"))
        sent = [receiver.next().body.decode() for _ in range(4)]
        stored = marks.stored_texts(product.dsn)
        metrics = scrape(settings, product)
        assert product.stop() == 0
    assert [one.returncode for one in printed] == [0, 0, 0, 1], printed
    logs = [path.read_text() for path in (migrated / "log").iterdir()]
    postgres = (migrated / "postgres" / "postgres.log").read_text()
    outputs = [text for one in printed for text in (one.stdout, one.stderr)]
    telemetry = [body.decode(errors="replace") for path in PATHS for body in bodies(httpserver, path)]
    for texts in (logs, [postgres], outputs, telemetry, sent, officer.seen, [product.output]):
        assert texts
        assert marks.hits(texts, values) == []
    assert marks.hits([part.decode() for part in metrics], values) == []
    assert {table: found for table in stored if (found := marks.hits(stored[table], values))} == {}
    assert any("save page" in text for text in telemetry)
    assert any("attempt_failed" in text for text in telemetry)
    assert {"procrastinate_jobs", "procrastinate_events", "audit_log", "run_attempts"} <= stored.keys()
    assert marked in revealed
    assert MARK in revealed
    assert any("person.reveal" in row and marks.REASON in row for row in stored["audit_log"])
