"""Log lines: text or JSON, of the standard library and structlog alike, and never with a secret."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from hrims import config, log
from hrims.jobs.attempts.retry import RunFailed
from tests.support.command_line import keep_logging

SECRETS = {
    "HRIMS_API_KEY": "key-of-a-test",
    "HRIMS_TOKEN": 'token "of" a test äö',
    "SECRET_KEY": "signing-key-of-a-test",
    "DATABASE_URL": "postgresql://u:database%40test@db.example/x",
}
PLAIN = ["key-of-a-test", 'token "of" a test äö', "signing-key-of-a-test", "database@test", "database%40test"]


@pytest.fixture(autouse=True)
def _keep_logging() -> Iterator[None]:
    with keep_logging():
        yield


def logged(log_format: str, capsys: pytest.CaptureFixture[str], message: str) -> str:
    """Return what a line with these words, logged with its exception, becomes."""
    log.configure(config.load({**SECRETS, "HRIMS_LOG_FORMAT": log_format}))
    logging.getLogger("a.library").error("it said %s", message, exc_info=ValueError(message))
    return capsys.readouterr().err


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("secret", PLAIN)
def test_no_secret_passes(log_format: str, secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = logged(log_format, capsys, f"before {secret} after")
    assert secret not in line
    assert json.dumps(secret)[1:-1] not in line
    assert f"before {log.MASK} after" in line


def test_a_line_of_json_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    event = json.loads(logged("json", capsys, "words"))
    assert (event["event"], event["message"]) == ("library_message", "it said words")
    assert (event["level"], event["logger"]) == ("error", "a.library")
    assert event["timestamp"].endswith("Z")
    assert structlog.is_configured() is False, "the standard library is the one door"


def test_a_field_is_a_key_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": "json"}))
    with structlog.contextvars.bound_contextvars(run=86, attempt=1):
        log.get_logger("hrims.sync.pages").info("page_saved", page=12, ms=412)
    event = json.loads(capsys.readouterr().err)
    assert event.pop("timestamp")
    assert event == {
        "event": "page_saved", "run": 86, "attempt": 1, "page": 12, "ms": 412,
        "level": "info", "logger": "hrims.sync.pages",
    }  # fmt: skip


def test_a_field_is_shown_as_text_once(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(config.load({}))
    with structlog.contextvars.bound_contextvars(run=86, attempt=1):
        log.get_logger("web").info("page_saved", page=12, code=None, message='Two "words".\u202e')
    line = capsys.readouterr().err
    assert r'page_saved run=86 attempt=1 page=12 code=null message="Two \"words\".\u202e"' in line
    assert line.count("run=86") == 1


def test_any_handler_shows_the_fields(caplog: pytest.LogCaptureFixture) -> None:
    """As under a plain ``procrastinate worker``, which configures logging with its own format."""
    with caplog.at_level(logging.INFO):
        log.get_logger("web").info("job_put_back", job=7)
        log.get_logger("web").debug("not_shown")
    assert caplog.messages == ["job_put_back job=7"]


def test_a_job_that_failed_as_expected_is_no_error_of_the_queue(caplog: pytest.LogCaptureFixture) -> None:
    log.lower_expected_failures()
    queue = logging.getLogger("procrastinate.worker")
    for error in (RunFailed("HRIMS is busy."), ValueError("a defect")):
        queue.error("Job ended with status: Error", exc_info=error)
    assert [(record.levelname, bool(record.exc_info)) for record in caplog.records] == [("ERROR", True)]
    caplog.clear()
    with caplog.at_level(logging.INFO, logger="procrastinate.worker"):
        queue.error("Job ended with status: Error", exc_info=RunFailed("HRIMS is busy."))
    assert [(record.levelname, bool(record.exc_info)) for record in caplog.records] == [("INFO", False)]


FORGED = [
    "/a\n2026-01-01 00:00:00 [error] forged",
    "/a\r\nforged",
    "/\x1b[2J\x1b[31mred",
    "/\x9b31m",
    "/\u202egnp.exe",
    "/\u2066a\u2069",
    "/a\u2028forged",
    "/a\u2029b\x85c\x0bd\x0ce\x7ff",
    "/\udc80",
    "/\u200b\ufeff\u00ad",
]


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("path", FORGED)
def test_text_of_a_request_cannot_change_the_log(
    log_format: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": log_format}))
    logging.getLogger("web").warning("GET %s failed", path)
    line = capsys.readouterr().err
    assert line.endswith("\n")
    assert line[:-1].isprintable(), ascii(line)


@pytest.mark.parametrize("path", FORGED)
def test_a_line_of_a_traceback_looks_like_no_other(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [line for line in logged("text", capsys, path).splitlines() if line]
    first, *others = lines
    assert "it said /" in first
    assert others
    for line in others:
        assert line.startswith(log.INDENT)
        assert line.isprintable(), ascii(line)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_long_path_is_cut_and_no_part_of_a_secret_is_left(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = SECRETS["HRIMS_API_KEY"]
    log.configure(config.load({**SECRETS, "HRIMS_LOG_FORMAT": log_format}))
    for before in range(log.MAX_LENGTH - len(secret) - 1, log.MAX_LENGTH + 1):
        logging.getLogger("web").warning("%s", "x" * before + secret + "y" * 9000)
        line = capsys.readouterr().err
        assert len(line) < log.MAX_LENGTH + 200
        assert secret[:3] not in line
        assert "more)" in line


def test_letters_of_every_language_stay_readable(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(config.load({}))
    logging.getLogger("web").warning("Ng’ambo – «äö» 日本")
    assert "Ng’ambo – «äö» 日本" in capsys.readouterr().err


def test_messages_of_errors_that_may_hold_data_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(config.load({}))
    found: dict[str, str] = {}
    try:
        found["Amina"]
    except KeyError:
        log.get_logger("web").error("request_failed", exc_info=True)
    shown = capsys.readouterr().err
    assert "builtins.KeyError" in shown
    assert "test_log.py" in shown
    assert "KeyError: " not in shown


@pytest.mark.parametrize(
    ("sentence", "values", "event"),
    [
        ("Booting worker with pid: %s", (12,), {"event": "gunicorn_process_started", "pid": 12}),
        ("Error handling request %s", ("/people?q=Amina",), {"event": "gunicorn_request_failed"}),
        ("Invalid request from ip=1.2.3.4: /Amina", (), {"event": "gunicorn_request_refused"}),
        ("%s %s", ("GET", "/Amina"), {"event": "gunicorn_message", "message": "%s %s"}),
    ],
)
def test_a_sentence_of_gunicorn_is_an_event(
    sentence: str, values: tuple[object, ...], event: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": "json"}))
    logging.getLogger("gunicorn.error").error(sentence, *values)
    line = json.loads(capsys.readouterr().err)
    assert line.items() >= event.items()
    assert "Amina" not in str(line)


def test_an_action_of_the_queue_is_an_event_without_the_arguments_of_its_job(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": "json", "HRIMS_LOG_LEVEL": "debug"}))
    job = {"id": 5, "task_name": "sync.run", "queue": "hrims", "task_kwargs": {"run_id": 7}}
    logger = logging.getLogger("procrastinate.worker")
    for action in ("start_job", "Task-7_error"):
        logger.warning(
            "Job sync.run[5](run_id=7)", extra={"action": action, "job": job, "worker": {"worker_id": 3}}
        )
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["event"] == "procrastinate_start_job"
    assert second["event"] == "procrastinate_task_error"
    assert first.items() >= {"job": 5, "task": "sync.run", "queue": "hrims", "worker": 3}.items()
    assert "run_id" not in str(first)


def test_what_a_program_prints_is_an_event(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": "json"}))
    monkeypatch.setattr("sys.stderr", sys.stderr)
    log.log_printed_lines()
    sys.stderr.write("one line\nand ")
    sys.stderr.write("another\n")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["event"], line["message"]) for line in lines] == [
        ("line_printed", "one line"),
        ("line_printed", "and another"),
    ]


def test_values_of_errors_of_the_database_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": "json"}))
    for sentence in ("error ignored terminating %r: %s", "task run %s failed: %s"):
        logging.getLogger("psycopg.pool").warning(sentence, "it", "Key (name)=(Amina) already exists")
    [line] = capsys.readouterr().err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["message"]) == ("psycopg_message", "task run %s failed: %s")


def test_the_message_of_an_error_of_a_task_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": "json"}))
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <ValueError('Amina')>")
    event = json.loads(capsys.readouterr().err)
    assert (event["event"], event["message"]) == ("asyncio_message", "Task exception was never retrieved")


FAILS = """
import threading
from hrims import config, log
log.configure(config.load({"HRIMS_LOG_FORMAT": "json"}))
log.log_uncaught_errors()
def fail():
    raise ValueError("Amina")
thread = threading.Thread(target=fail, name="mine")
thread.start()
thread.join()
fail()
"""


def test_an_uncaught_error_is_an_event_without_its_message() -> None:
    done = subprocess.run([sys.executable, "-c", FAILS], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    of_thread, of_process = map(json.loads, done.stderr.splitlines())
    assert (of_thread["event"], of_thread["thread"]) == ("thread_failed", "mine")
    assert of_process["event"] == "process_failed"
    for event in (of_thread, of_process):
        assert event["exception"].endswith("builtins.ValueError")
        assert "Amina" not in str(event)
