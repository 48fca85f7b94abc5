"""Lines that a program prints: none is lost when threads print at once."""

import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest

from hrims import config, log
from tests.support.command_line import keep_logging


@pytest.fixture(autouse=True)
def _keep_logging() -> Iterator[None]:
    with keep_logging():
        yield


def test_lines_that_threads_print_at_once_are_all_logged(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(config.load({"HRIMS_LOG_FORMAT": "json"}))
    monkeypatch.setattr("sys.stderr", sys.stderr)
    log.log_printed_lines()
    is_logging, has_printed = threading.Event(), threading.Event()

    def pause(_record: logging.LogRecord) -> bool:
        if threading.current_thread() is slow:
            is_logging.set()
            assert has_printed.wait(20)
        return True

    slow = threading.Thread(target=lambda: sys.stderr.write("slow\n"))
    logging.getLogger("hrims.log.printed").addFilter(pause)
    try:
        slow.start()
        assert is_logging.wait(20)
        sys.stderr.write("quick\n")
    finally:
        has_printed.set()
        slow.join()
        logging.getLogger("hrims.log.printed").removeFilter(pause)
    lines = [json.loads(line)["message"] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["quick", "slow"]
