"""Log lines: text or JSON, of the standard library and structlog alike, and never with a secret."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from hrims import config, log

SECRETS = {
    "HRIMS_API_KEY": "key-of-a-test",
    "HRIMS_TOKEN": 'token "of" a test äö',
    "SECRET_KEY": "signing-key-of-a-test",
    "DATABASE_URL": "postgresql://u:database%40test@db.example/x",
}
PLAIN = ["key-of-a-test", 'token "of" a test äö', "signing-key-of-a-test", "database@test", "database%40test"]


@pytest.fixture(autouse=True)
def _root_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def logged(log_format: str, capsys: pytest.CaptureFixture[str], words: str) -> str:
    """What a line with these words, logged with its exception, becomes."""
    log.configure(config.load({**SECRETS, "HRIMS_LOG_FORMAT": log_format}))
    logging.getLogger("a.library").error("it said %s", words, exc_info=ValueError(words))
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
    assert (event["event"], event["level"], event["logger"]) == ("it said words", "error", "a.library")
    assert event["timestamp"].endswith("Z")
    assert structlog.is_configured() is False, "the standard library is the one door"


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
    for before in range(log.LONGEST - len(secret) - 1, log.LONGEST + 1):
        logging.getLogger("web").warning("%s", "x" * before + secret + "y" * 9000)
        line = capsys.readouterr().err
        assert len(line) < log.LONGEST + 200
        assert secret[:3] not in line
        assert "more)" in line


def test_letters_of_every_language_stay_readable(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(config.load({}))
    logging.getLogger("web").warning("Ng’ambo – «äö» 日本")
    assert "Ng’ambo – «äö» 日本" in capsys.readouterr().err
