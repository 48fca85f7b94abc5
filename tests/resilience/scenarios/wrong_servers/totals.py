"""What a server says that it lists. Input: one answer as it would be. Output: the total that it claims, and
whether it hides its records. Pure; every rule but ``honest`` is wrong in a consistent way.
"""

from collections.abc import Callable
from typing import NamedTuple


class Answer(NamedTuple):
    """A page as the server cut it. ``answered`` is how many pages it has answered in this run before."""

    number: int
    size: int
    listed: int
    sent: int
    answered: int


class Claim(NamedTuple):
    """The claimed total; ``hides`` when the answer holds no records although there are some."""

    total: int
    hides: bool = False


HONEST = "honest total"

RULES: dict[str, Callable[[Answer], Claim]] = {
    HONEST: lambda page: Claim(page.listed),
    "total 0 with people": lambda _: Claim(0),
    "first answer: total 0, no records": lambda page: Claim(
        page.listed if page.answered else 0, not page.answered
    ),
    "then total 0 twice, no records": lambda page: (
        Claim(0, hides=True) if 1 <= page.answered <= 2 else Claim(page.listed)
    ),
    "then total 0 always, no records": lambda page: (
        Claim(0, hides=True) if page.answered else Claim(page.listed)
    ),
    "then total 0 always, with records": lambda page: Claim(0 if page.answered else page.listed),
    "total of the page": lambda page: Claim(page.sent),
    "total so far": lambda page: Claim(page.number * page.size + page.sent),
    "total is the number of pages": lambda page: Claim(-(-page.listed // page.size)),
    "total is the size asked for": lambda page: Claim(page.size),
}
