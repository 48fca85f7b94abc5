"""How much patience a run gets: attempts, the pause after the first failure, a deadline. What a person or
machine wishes comes in; what is kept with the run, and whether its time is over, goes out. Pure but for the
clock.
"""

import math
import time
from typing import Final, NamedTuple

from hrims.errors import HrimsSyncError, InvalidInput

MOST_ATTEMPTS: Final = 50
LONGEST_PAUSE: Final = 3600
LONGEST_DEADLINE: Final = 43_200
"""Minutes: thirty days."""


class Patience(NamedTuple):
    """What was said of one run or institution; None leaves it to whoever speaks next: run, institution,
    settings.

    ``attempt_pause`` is in seconds, ``deadline_minutes`` count from when the run is asked for.
    """

    attempts: int | None = None
    attempt_pause: float | None = None
    deadline_minutes: int | None = None


USUAL: Final = Patience()
"""Nothing is said."""


class DeadlinePassed(HrimsSyncError):
    """The run was not done in time."""

    code = "deadline"
    again = False


class Deadline:
    """The end of a run's time, by this process' own clock."""

    def __init__(self, seconds_left: float | None) -> None:
        self._until = math.inf if seconds_left is None else time.monotonic() + seconds_left

    def leaves(self, seconds: float) -> bool:
        """Whether it is further away than that."""
        return self._until - time.monotonic() > seconds

    def check(self) -> None:
        """Raises DeadlinePassed when it is past."""
        if time.monotonic() >= self._until:
            raise DeadlinePassed("It was not done by its deadline.")


def check(attempts: object, attempt_pause: object, deadline_minutes: object) -> Patience:
    """The wish as it is kept; None says nothing. Raises InvalidInput."""
    return Patience(
        _whole(attempts, "attempts", MOST_ATTEMPTS),
        _seconds(attempt_pause),
        _whole(deadline_minutes, "deadlineMinutes", LONGEST_DEADLINE),
    )


def read(attempts: str, attempt_pause: str, deadline_minutes: str) -> Patience:
    """The same, as the fields of a form have it: empty says nothing. Raises InvalidInput."""
    return check(_typed(attempts), _typed(attempt_pause), _typed(deadline_minutes))


def _whole(given: object, name: str, most: int) -> int | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise InvalidInput(
            f"{name} must be a whole number from 1 to {most:,}. Nothing was changed.", _slug(name)
        )
    return given


def _seconds(given: object) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= LONGEST_PAUSE:
        raise InvalidInput(
            f"attemptPause must be seconds from 0 to {LONGEST_PAUSE:,}. Nothing was changed.",
            _slug("attemptPause"),
        )
    return float(given)


def _slug(name: str) -> str:
    return "bad_" + "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _typed(given: str) -> object:
    """A number if the text is one, the text itself if not: what is wrong with it is said by ``check``."""
    text = given.strip()
    if not text:
        return None
    if len(text) > len(str(LONGEST_DEADLINE)) + 3 or not text.isascii():
        return text
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return text
