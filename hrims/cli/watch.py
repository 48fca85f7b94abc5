"""What a person or a pipe sees of a run while it is watched: runs come in, a live bar or plain lines
go out.
"""

import sys
from types import TracebackType
from typing import Protocol, Self

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hrims.follow.progress import Run

STEP = 10
"""Per cent between two plain lines."""


class Screen(Protocol):
    """Where a run is shown."""

    def show(self, run: Run) -> None:
        """Shows how the run stands."""

    def say(self, words: str) -> None:
        """Says what a bar cannot show."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def screen() -> Screen:
    """A bar on a terminal, plain lines elsewhere; both on standard error."""
    console = Console(stderr=True)
    return Bar(console) if console.is_terminal and not console.is_dumb_terminal else Lines()


class Bar:
    """A bar that moves."""

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
        """Moves the bar."""
        done = run.saved + run.rejected + run.repeated
        self._bar.update(
            self._task, description=run.state.capitalize(), completed=done, total=run.remote_total
        )

    def say(self, words: str) -> None:
        """A line above the bar."""
        self._bar.console.print(words, highlight=False, markup=False, soft_wrap=True)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()


class Lines:
    """A line whenever the state changes, and for every step of the way."""

    def __init__(self) -> None:
        self._shown: tuple[str, int] | None = None

    def show(self, run: Run) -> None:
        """Prints how far the run is, if that is news."""
        now = (run.state, run.percent // STEP)
        if now == self._shown or run.ended:
            return
        self._shown = now
        done = run.saved + run.rejected + run.repeated
        of = "?" if run.remote_total is None else f"{run.remote_total:,}"
        self.say(f"{run.state}: {done:,} of {of} ({run.percent} %)")

    def say(self, words: str) -> None:
        """Prints a line."""
        click.echo(words, err=True)
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None
