"""The steps of a sync: every path ends, and only a proof makes a run complete."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.sync.run import STEPS
from hrims.sync.steps import MAX_MISSING_FOR_EDGES, RULES, Finding, Outcome, Step, next_step

findings = st.builds(
    Finding, st.booleans(), st.integers(-20, 20), st.booleans(), st.booleans(), st.booleans()
).filter(lambda found: not found.is_proven or (found.missing == 0 and found.is_total_stable))

FEW = Finding(is_proven=False, missing=MAX_MISSING_FOR_EDGES)


@pytest.mark.parametrize(
    ("after", "found", "then"),
    [
        (Step.FIRST_PASS, Finding(is_proven=True), Outcome.COMPLETE),
        (Step.FIRST_PASS, Finding(is_proven=True, is_long=True), Step.VERIFY_EDGES),
        (Step.FIRST_PASS, Finding(is_proven=True, is_long=True, has_small_pages=False), Step.SECOND_PASS),
        (Step.FIRST_PASS, FEW, Step.REPAIR_EDGES),
        (Step.FIRST_PASS, FEW._replace(is_long=True), Step.REPAIR_EDGES),
        (Step.FIRST_PASS, FEW._replace(missing=MAX_MISSING_FOR_EDGES + 1), Step.SECOND_PASS),
        (Step.FIRST_PASS, FEW._replace(missing=1), Step.REPAIR_EDGES),
        (Step.FIRST_PASS, FEW._replace(missing=0), Step.SECOND_PASS),
        (Step.FIRST_PASS, FEW._replace(missing=-1), Step.SECOND_PASS),
        (Step.FIRST_PASS, FEW._replace(is_total_stable=False), Step.SECOND_PASS),
        (Step.FIRST_PASS, FEW._replace(has_small_pages=False), Step.SECOND_PASS),
        (Step.VERIFY_EDGES, Finding(is_proven=True, is_long=True), Outcome.COMPLETE),
        (Step.VERIFY_EDGES, FEW, Step.SECOND_PASS),
        (Step.REPAIR_EDGES, Finding(is_proven=True), Outcome.COMPLETE_AFTER_REPAIR),
        (Step.REPAIR_EDGES, FEW, Step.SECOND_PASS),
        (Step.SECOND_PASS, Finding(is_proven=True), Outcome.COMPLETE_AFTER_REPAIR),
        (Step.SECOND_PASS, FEW, Step.THIRD_PASS),
        (Step.THIRD_PASS, Finding(is_proven=True), Outcome.COMPLETE_AFTER_REPAIR),
        (Step.THIRD_PASS, FEW, Outcome.INCOMPLETE),
    ],
)
def test_each_rule(after: Step, found: Finding, then: Step | Outcome) -> None:
    assert next_step(after, found) == then


@given(st.lists(findings, min_size=len(Step), max_size=len(Step)))
def test_a_run_takes_each_step_at_most_once_and_ends_with_what_it_proved(found: list[Finding]) -> None:
    taken: list[Step] = []
    step: Step | Outcome = Step.FIRST_PASS
    while isinstance(step, Step):
        assert step not in taken
        last = found[len(taken)]
        taken.append(step)
        step = next_step(step, last)
    assert (step != Outcome.INCOMPLETE) == last.is_proven
    assert (step == Outcome.COMPLETE_AFTER_REPAIR) == (
        last.is_proven and taken[-1] not in {Step.FIRST_PASS, Step.VERIFY_EDGES}
    )


def test_every_step_has_a_function_and_a_last_rule_for_everything_else() -> None:
    assert set(STEPS) == set(Step)
    for step in Step:
        assert [rule for rule in RULES if rule.after == step][-1].condition == "otherwise"
