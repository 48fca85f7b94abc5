"""Who the people are: the sizes, shares and names that the contract tells of."""

import re
from collections import Counter
from typing import Any

import pytest

from hrims.simulator import vocabulary
from tests.simulator.requests import send
from tests.support.simulated import Simulator

MEASURED = {
    "zan_id": 100, "name": 100, "gender": 100, "date_of_birth": 99.0, "place_of_birth": 93.5,
    "region": 59.4, "country_of_birth": 94.3, "phone_number": 59.0, "contact_address": 61.3,
    "zssf_number": 92.1, "payroll_number": 99.1, "cadre": 95.4, "salary_scale": 97.9,
    "ministry": 97.9, "department": 93.0, "appointment_type": 97.9, "contract_type": 97.9,
    "recent_title_date": 97.9, "current_reporting_office": 93.9, "current_workplace": 97.9,
    "employment_date": 99.9, "confirmation_date": 68.7, "retirement_date": 89.9,
}  # fmt: skip
"""Per cent of 6,408 people, from the contract."""

People = list[dict[str, Any]]


@pytest.fixture(scope="module")
def appointed(full: Simulator) -> People:
    return full.people(vote="037")


@pytest.fixture(scope="module")
def health(full: Simulator) -> People:
    return full.people(vote="001")


def same(name: str | None) -> str:
    """Return a name without case, spacing and punctuation."""
    return " ".join(re.findall(r"\w+", (name or "").casefold()))


@pytest.mark.parametrize(("column", "share"), MEASURED.items())
def test_fields_are_filled_as_often_as_measured(appointed: People, column: str, share: float) -> None:
    filled = sum(1 for person in appointed if person[column])
    assert 100 * filled / len(appointed) == pytest.approx(share, abs=0.2)


def test_vote_037_lists_6408_people_33_of_them_work_there(appointed: People) -> None:
    assert len(appointed) == len({person["zan_id"] for person in appointed}) == 6408
    own = [person for person in appointed if person["institution"] == "TUME YA UTUMISHI SERIKALINI"]
    assert len(own) == 33
    assert {same(person["current_workplace"]) for person in own} == {"tume ya utumishi serikalini"}


def test_22_workplaces_are_not_on_the_register(appointed: People) -> None:
    strange = [person for person in appointed if person["current_workplace"] and not person["institution"]]
    counts = Counter(same(person["current_workplace"]) for person in strange)
    assert len(counts) == 22
    assert counts.most_common(1)[0][1] == 586


def test_the_others_work_all_over_the_register(appointed: People) -> None:
    assert len({person["institution"] for person in appointed} - {None}) == 40


def test_names_differ_only_in_what_people_type_differently(appointed: People) -> None:
    short = {same(name): long for long, name in vocabulary.SHORT_NAMES.items()}
    spellings = set()
    for person in appointed:
        if person["institution"]:
            name = same(person["current_workplace"])
            assert same(short.get(name, person["institution"])) == same(person["institution"])
            assert name in short or name == same(person["institution"])
            spellings.add(person["current_workplace"])
    assert len(spellings) > 3 * 40
    assert "Tume ya Uchaguzi" in spellings


def test_the_sizes_of_the_register(full: Simulator) -> None:
    overall = [send(full, key=key).json()["overallDataSize"] for key in ("001", "037", "040")]
    assert overall == [2500, 6408, 19273]


def test_001_is_complete_and_works_at_home_mostly(health: People) -> None:
    assert all(person["zan_id"] for person in health)
    at_home = sum(1 for person in health if person["institution"] == "WIZARA YA AFYA")
    assert 0.94 < at_home / len(health) < 0.98


def test_other_vote_codes_hold_a_few_people_without_zan_id(full: Simulator) -> None:
    people = full.people(vote="039")
    lacking = sum(1 for person in people if not person["zan_id"])
    assert 0 < lacking < 0.01 * len(people)
    assert 0 < sum(1 for person in people if not person["gender"]) < 0.02 * len(people)


def test_zan_ids_are_text_of_8_to_10_digits(appointed: People) -> None:
    ids = [person["zan_id"] for person in appointed]
    assert all(re.fullmatch(r"[0-9]{8,10}", zan_id) for zan_id in ids)
    assert {len(zan_id) for zan_id in ids} == {8, 9, 10}
    assert any(zan_id.startswith("0") for zan_id in ids)


def test_zan_ids_are_unique_over_institutions(full: Simulator, health: People, appointed: People) -> None:
    everyone = [*health, *appointed, *full.people(vote="039"), *full.people(vote="010")]
    names = {person["zan_id"]: person["name"] for person in everyone if person["zan_id"]}
    assert all(names[person["zan_id"]] == person["name"] for person in everyone if person["zan_id"])


def test_an_employee_listed_twice_is_one_person(health: People, appointed: People) -> None:
    by_id = {person["zan_id"]: person for person in appointed}
    shared = [person for person in health if person["zan_id"] in by_id]
    assert len(shared) > 50
    assert all(by_id[person["zan_id"]] == person for person in shared)
    assert {person["institution"] for person in shared} == {"WIZARA YA AFYA"}


def test_institutions_with_one_identifier_answer_on_that_one(full: Simulator) -> None:
    assert send(full, "204", key="033").json()["overallDataSize"] == 265
    assert send(full, "205", key="184212661").json()["overallDataSize"] == 128
    assert send(full, "205", key=" ").json()["code"] == 400


def test_records_are_as_untidy_as_the_contract_says(full: Simulator) -> None:
    answer = send(full, key="037", size=1000)
    people = answer.json()["data"]
    infos = [person["personalInfo"] for person in people]
    assert 2000 < len(answer.content) / len(people) < 3000
    assert any(info.get("birthDate") == "1900-01-01T00:00:00" for info in infos)
    assert any("primaryPhone" not in info for info in infos)
    assert {None, ""} <= {info.get("primaryPhone", "absent") for info in infos}
    assert any(info["firstName"] != info["firstName"].strip() for info in infos)
    assert any(info["zanIdNumber"] != info["zanIdNumber"].strip() for info in infos)
    entries = [entry for person in people for entry in person.get("educationHistories") or []]
    assert {"levelName", "educationLevel"} <= {name for entry in entries for name in entry}
    assert any("leaveHistories" in person for person in people)
    assert {None, ()} <= {_kind(person.get("employmentHistories", "absent")) for person in people}


def _kind(entries: Any) -> Any:
    return tuple(entries) if entries in ([], "absent") else entries and "filled"


def test_every_status_occurs(appointed: People) -> None:
    assert {person["status"] for person in appointed} == {
        "Confirmed", "On Probation", "Retired", "Resigned", "Terminated", "Dismissed",
    }  # fmt: skip
