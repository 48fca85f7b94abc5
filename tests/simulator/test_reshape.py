"""Answers whose shape has changed: fields renamed, missing, new and emptied."""

from typing import Any

import pytest

from tests.simulated import Simulator
from tests.simulator.conftest import ask


def people(simulator: Simulator, size: int = 100) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = ask(simulator, size=size).json()["data"]
    return data


def test_a_renamed_field(fresh: Simulator) -> None:
    before = [one["personalInfo"].get("zanIdNumber") for one in people(fresh)]
    fresh.control(renamed_fields={"personalInfo.zanIdNumber": "zanId"})
    after = people(fresh)
    assert [one["personalInfo"].get("zanId") for one in after] == before
    assert not any("zanIdNumber" in one["personalInfo"] for one in after)


def test_a_missing_field_and_a_missing_part(fresh: Simulator) -> None:
    fresh.control(missing_fields=["employmentHistories.titleName", "contractDetails"])
    for one in people(fresh):
        assert "contractDetails" not in one
        assert not any("titleName" in job for job in one.get("employmentHistories") or [])


def test_a_new_field(fresh: Simulator) -> None:
    fresh.control(new_fields={"personalInfo.bloodGroup": "O+", "unionName": None})
    for one in people(fresh):
        assert one["personalInfo"]["bloodGroup"] == "O+"
        assert one["unionName"] is None


def test_emptied_fields_are_empty_in_a_share_and_always_in_the_same_people(fresh: Simulator) -> None:
    fresh.control(emptied_fields={"personalInfo.firstName": 0.8})
    first, again = people(fresh), people(fresh)
    assert first == again
    assert 65 <= sum(one["personalInfo"]["firstName"] is None for one in first) <= 92


@pytest.mark.parametrize(
    "wrong",
    [
        {"renamed_fields": {"personalInfo.x": 5}},
        {"missing_fields": "personalInfo.x"},
        {"new_fields": ["x"]},
        {"emptied_fields": {"personalInfo.x": 2}},
    ],
)
def test_what_is_no_shape_is_refused(fresh: Simulator, wrong: dict[str, Any]) -> None:
    answer = fresh.http.put("/_control", json=wrong)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["error"]
