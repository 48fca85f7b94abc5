"""Parameters of a long test: a sample of them for ``make test``, the others for ``make chaos``."""

from collections.abc import Container, Iterable
from typing import Any

import pytest


def sampled(values: Iterable[Any], kept: Container[Any]) -> list[Any]:
    """``values``, of which those that are not ``kept`` are in ``make chaos`` alone."""
    return [value if value in kept else pytest.param(value, marks=pytest.mark.chaos) for value in values]
