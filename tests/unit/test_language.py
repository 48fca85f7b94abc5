"""The rules for subjects of commits."""

import pytest

from tests.support.language import broken_rules


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        ("fix stale claim in rescuer", "capital"),
        ("Fix stale claim in rescuer.", "full stop"),
        ("Fixed stale claim in rescuer", "imperative"),
        ("Fixes stale claim in rescuer", "imperative"),
        ("Fixing stale claims", "imperative"),
        ("A breaker for each host", "imperative"),
        ("Tell whoever waits", "forbidden"),
        ("Fix " + "x" * 69, "73 characters"),
    ],
)
def test_a_subject_that_breaks_a_rule(subject: str, rule: str) -> None:
    [broken] = broken_rules(subject)
    assert rule in broken


@pytest.mark.parametrize(
    "subject", ["Fix stale claim in rescuer", "Process pages at once", "Fix " + "x" * 68]
)
def test_a_subject_that_keeps_them(subject: str) -> None:
    assert broken_rules(subject) == []
