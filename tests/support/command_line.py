"""Commands in the process of the test: a process takes a second to start."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from hrims.cli import main


@contextmanager
def keep_logging() -> Iterator[None]:
    """Restore the log handlers that commands replace."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers = handlers
    root.setLevel(level)


def call_refused(words: Sequence[str], capsys: pytest.CaptureFixture[str], code: int = 1) -> str:
    """Call a command that must exit with ``code`` and without output. Return its standard error."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (code, "")
    return printed.err
