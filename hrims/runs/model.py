"""The model of a run for pages and API. Input: one row. Output: states, totals and messages. Pure."""

from dataclasses import dataclass
from datetime import datetime

from hrims.drift.rules import summarize
from hrims.runs import messages
from hrims.runs.row import RunRow


@dataclass(frozen=True)
class Run(RunRow):
    """A run with its progress, as pages and API show it."""

    @property
    def word(self) -> str:
        """Return the state of the run in a word or two.

        A run of single pages completes no list, so its word differs.
        """
        if self.kind == "rejected" and self.outcome:
            return "fetched again"
        word = (self.outcome or self.state).replace("_", " ")
        return f"{word}, partial" if self.partial else word

    @property
    def drifted(self) -> str | None:
        """Return what has changed in the responses of HRIMS since the previous run; None if nothing has."""
        return summarize([change["message"] for change in self.drift]) if self.drift else None

    @property
    def message(self) -> str:
        """Return the state of the run in one sentence for an HR officer."""
        return messages.message(self)

    @property
    def waits_until(self) -> tuple[str, datetime] | None:
        """Return what happens next to a waiting run and when, as far as that is known."""
        if self.wait_code == "breaker_open" and self.probe_at:
            return "Next probe of HRIMS at", self.probe_at
        return ("Starts at about", self.starts_at) if self.starts_at else None
