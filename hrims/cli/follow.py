"""Progress of a run on a terminal or in a pipe.

Input: states of a run. Output: a live progress bar or plain lines.
"""

import sys
from types import TracebackType
from typing import Protocol, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hrims.cli import terminal
from hrims.runs.model import Run

STEP = 10
"""Percentage points between two plain lines."""


class Screen(Protocol):
    """An output that shows the progress of a run."""

    def show(self, run: Run) -> None:
        """Show the state of the run."""

    def print_message(self, message: str) -> None:
        """Print a message that a progress bar cannot show."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def screen() -> Screen:
    """Return a progress bar on a terminal, else plain lines; both write to standard error."""
    console = Console(file=terminal.raw_stream(sys.stderr))
    return Bar(console) if console.is_terminal and not console.is_dumb_terminal else Lines()


class Bar:
    """A live progress bar."""

    def __init__(self, console: Console) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._task = self._bar.add_task("Waiting", total=None)

    def show(self, run: Run) -> None:
        """Update the bar."""
        done = run.saved + run.rejected + run.repeated
        self._bar.update(
            self._task, description=run.state.capitalize(), completed=done, total=run.remote_total
        )

    def print_message(self, message: str) -> None:
        """Print a line above the bar."""
        text = terminal.escaped_lines(message)
        self._bar.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


class Lines:
    """Plain lines: one for each change of state and for each step of progress."""

    def __init__(self) -> None:
        self._last_shown: tuple[str, int] | None = None

    def show(self, run: Run) -> None:
        """Print the progress of the run if it has changed."""
        state = (run.state, run.percent // STEP)
        if state == self._last_shown or run.ended:
            return
        self._last_shown = state
        done = run.saved + run.rejected + run.repeated
        total = "?" if run.remote_total is None else f"{run.remote_total:,}"
        self.print_message(f"{run.state}: {done:,} of {total} ({run.percent} %)")

    def print_message(self, message: str) -> None:
        """Print a line."""
        click.echo(message, err=True)
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
