"""Answers whose shape has changed: fields renamed, missing, new and emptied."""

from typing import Any

import pytest

from tests.simulator.requests import send
from tests.support.simulated import Simulator


def people(simulator: Simulator, size: int = 100) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = send(simulator, size=size).json()["data"]
    return data


def test_a_renamed_field(fresh: Simulator) -> None:
    before = [person["personalInfo"].get("zanIdNumber") for person in people(fresh)]
    fresh.control(renamed_fields={"personalInfo.zanIdNumber": "zanId"})
    after = people(fresh)
    assert [person["personalInfo"].get("zanId") for person in after] == before
    assert not any("zanIdNumber" in person["personalInfo"] for person in after)


def test_a_missing_field_and_a_missing_part(fresh: Simulator) -> None:
    fresh.control(missing_fields=["employmentHistories.titleName", "contractDetails"])
    for person in people(fresh):
        assert "contractDetails" not in person
        assert not any("titleName" in job for job in person.get("employmentHistories") or [])


def test_a_new_field(fresh: Simulator) -> None:
    fresh.control(new_fields={"personalInfo.bloodGroup": "O+", "unionName": None})
    for person in people(fresh):
        assert person["personalInfo"]["bloodGroup"] == "O+"
        assert person["unionName"] is None


def test_emptied_fields_are_empty_in_a_share_and_always_in_the_same_people(fresh: Simulator) -> None:
    fresh.control(emptied_fields={"personalInfo.firstName": 0.8})
    first, again = people(fresh), people(fresh)
    assert first == again
    assert 65 <= sum(person["personalInfo"]["firstName"] is None for person in first) <= 92


@pytest.mark.parametrize(
    "wrong",
    [
        {"renamed_fields": {"personalInfo.x": 5}},
        {"missing_fields": "personalInfo.x"},
        {"new_fields": ["x"]},
        {"emptied_fields": {"personalInfo.x": 2}},
    ],
)
def test_an_invalid_shape_is_refused(fresh: Simulator, wrong: dict[str, Any]) -> None:
    answer = fresh.http.put("/_control", json=wrong)
    assert answer.status_code == 400
    assert next(iter(wrong)) in answer.json()["error"]
