"""Parameters of a long test: a sample of them for ``make test``, the others for ``make chaos``."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], sample: Container[Any]) -> list[Any]:
    """Return ``values``. Those that are not in ``sample`` run only in ``make chaos``."""
    return [value if value in sample else pytest.param(value, marks=pytest.mark.chaos) for value in values]
