"""The counts of a run so far, as the log shows them."""

from typing import NamedTuple


class Progress(NamedTuple):
    """The counts of a run so far; ``total`` is HRIMS' latest, None before the first page."""

    pages: int = 0
    saved: int = 0
    rejected: int = 0
    repeated: int = 0
    total: int | None = None
    missing: int | None = None
    seconds: float | None = None

    @property
    def skipped(self) -> int:
        """Records that added no person: rejects, and repeats of a person."""
        return self.rejected + self.repeated

    @property
    def percent(self) -> int | None:
        """Return the percentage of records accounted for, 0 to 100; None without a total."""
        if self.total is None:
            return None
        return min(100, 100 * (self.saved + self.skipped) // max(1, self.total))
