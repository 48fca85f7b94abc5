"""What a command prints cannot control the terminal, wherever its text comes from."""

import contextlib
import io
import sys
from collections.abc import Iterator

import click
import pytest
from rich.console import Console

from hrims import cli
from hrims.cli import terminal
from hrims.cli.follow import Bar
from hrims.errors import InvalidInput
from tests.support.command_line import call_refused, keep_logging

HOSTILE = "a\x1b[2J\x1b]0;title\x07\r\x08\x9b31m\u202e\u2028b"
SHOWN = r"a\x1b[2J\x1b]0;title\x07\r\x08\x9b31m\u202e\u2028b"


class Terminal(io.StringIO):
    """A terminal that keeps what it gets."""

    def isatty(self) -> bool:
        return True


@contextlib.contextmanager
def screen() -> Iterator[Terminal]:
    """Provide a terminal, to which this process prints. Pytest would replace what a fixture sets."""
    made = Terminal()
    with contextlib.redirect_stdout(made), contextlib.redirect_stderr(made):
        yield made


def test_it_works() -> None:
    with screen() as shown, terminal.escaped_output():
        click.echo(f"{HOSTILE}\nNg’ambo äö 日本\t|")
        click.echo(HOSTILE, err=True)
        sys.stderr.writelines([HOSTILE, "\n"])
        assert sys.stdout.isatty()
    assert shown.getvalue() == f"{SHOWN}\nNg’ambo äö 日本\\t|\n{SHOWN}\n{SHOWN}\n"


def test_nested_it_escapes_once_and_ends() -> None:
    with screen() as shown:
        with terminal.escaped_output(), terminal.escaped_output():
            click.echo(HOSTILE)
        assert sys.stdout is shown
    assert shown.getvalue() == f"{SHOWN}\n"


@pytest.mark.parametrize("error", [InvalidInput(HOSTILE), ValueError(HOSTILE), KeyError(HOSTILE)])
def test_an_error_is_escaped_and_a_defect_shows_no_data(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    @click.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(cli.commands, "get_command", lambda *_: fail)
    with screen() as shown, pytest.raises(SystemExit, match="1"):
        cli.main(["fail"])
    printed = shown.getvalue()
    assert printed.replace("\n", "").isprintable()
    assert (SHOWN in printed) is isinstance(error, InvalidInput)
    assert ("This is a defect" in printed) is not isinstance(error, InvalidInput)


@pytest.mark.parametrize(
    "words",
    [["sync", "--page-size", HOSTILE], ["worker", "--pool", HOSTILE], [HOSTILE], ["simulate", HOSTILE]],
)
def test_wrong_options_are_escaped(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with keep_logging():
        printed = call_refused(words, capsys, code=2)
    assert printed.replace("\n", "").isprintable()


def test_a_progress_bar_may_control_the_terminal_and_its_messages_may_not() -> None:
    with screen() as shown, terminal.escaped_output():
        console = Console(file=terminal.raw_stream(sys.stderr), force_terminal=True)
        with Bar(console) as bar:
            bar.print_message(HOSTILE)
    printed = shown.getvalue()
    assert SHOWN in printed
    assert "\x1b[2K" in printed
    assert "\x1b[2J" not in printed
