"""The people as tests see and change them.

Input: a population and a request. Output: ZanIDs and expected values. It adds people, and changes, moves and
removes them.
"""

from typing import Any

from hrims.simulator.behaviour import InvalidControl
from hrims.simulator.expected import expected_row
from hrims.simulator.person import Place
from hrims.simulator.population import Person, Population
from hrims.simulator.register import Institution

_CURRENT = {
    "employment": ("employmentHistories", "isCurrent"),
    "salary": ("salaryInformation", "isCurrent"),
    "contract": ("contractDetails", "isActive"),
}
"""Short names of lists, each with the flag of the entry that counts."""


def list_expected(population: Population, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the people that the institution lists now, in order, as a client should save them.

    Without an institution, return all people.
    """
    with population.lock:
        keyed = _has_key(given)
        listed = population.listing(_institution(population, given)) if keyed else population.all_numbers()
        numbers = list(listed)  # a copy, because pages are served while the values are computed
    return [_expected_row(population, population.person(number)) for number in numbers]


def _expected_row(population: Population, person: Person) -> dict[str, Any]:
    at = person.institution
    name = None if at is None else population.register[at].name
    return expected_row(person.read()) | {"institution": name}


def find_number(population: Population, given: dict[str, Any]) -> int:
    """Return the person's number, by ``zanId`` or by ``vote`` or ``tin`` and ``index``."""
    if "zanId" in given:
        number = population.find(given["zanId"])
        if number is None:
            raise InvalidControl("no employee has this ZanID")
        return number
    listing = population.listing(_institution(population, given))
    if not 0 <= int(given.get("index", -1)) < len(listing):
        raise InvalidControl(f"give an index below {len(listing)}")
    return listing[int(given["index"])]


def add(population: Population, given: dict[str, Any]) -> list[str]:
    """Add people at the end or at an index: ``{vote|tin, count?, at?, workplace?, fields?}``."""
    institution = _institution(population, given)
    place = _place(population, given.get("workplace", institution.name))
    added = []
    for offset in range(int(given.get("count", 1))):
        at = None if given.get("at") is None else int(given["at"]) + offset
        person = population.add(institution, place, at)
        _set(population, person, given.get("fields", {}))
        added.append(person)
    return [_zan_id(person) for person in added]


def remove(population: Population, given: dict[str, Any]) -> list[str]:
    """Remove people from one listing or from all: ``{zanIds, vote?|tin?}``."""
    where = [_institution(population, given)] if _has_key(given) else list(population.register)
    numbers = {find_number(population, {"zanId": zan_id}) for zan_id in given["zanIds"]}
    for institution in where:
        population.remove(institution, numbers)
    return list(given["zanIds"])


def change(population: Population, given: dict[str, Any]) -> list[str]:
    """Change fields of one person: ``{zanId | vote+index, fields}``.

    ``fields`` has values by path: ``personalInfo.firstName``, ``employment.titleName`` or ``workplace``.
    ``employment``, ``salary`` and ``contract`` mean the entry that counts.
    """
    person = population.person(find_number(population, given))
    with population.lock:
        _set(population, person, given["fields"])
    return [_zan_id(person)]


def move(population: Population, given: dict[str, Any]) -> list[str]:
    """Move one person to another index of the listing: ``{vote|tin, from, to}``."""
    institution = _institution(population, given)
    number = population.move(institution, int(given["from"]), int(given["to"]))
    return [_zan_id(population.person(number))]


def create_all(population: Population, given: dict[str, Any]) -> list[str]:
    """Create all people on the current list of ``{vote|tin}``, so that no measurement includes that time."""
    for number in population.listing(_institution(population, given)):
        population.person(number)
    return []


def _institution(population: Population, given: dict[str, Any]) -> Institution:
    found = population.institution(vote=given.get("vote", ""), tin=given.get("tin", ""))
    if found is None:
        raise InvalidControl("give the vote or tin of an institution of the register")
    return found


def _has_key(given: dict[str, Any]) -> bool:
    return "vote" in given or "tin" in given


def _zan_id(person: Person) -> str:
    return str(expected_row(person.read())["zan_id"])


def _place(population: Population, workplace: str) -> Place:
    numbers = [institution.number for institution in population.register if institution.name == workplace]
    return Place(workplace, numbers[0] if numbers else None)


def _set(population: Population, person: Person, fields: dict[str, Any]) -> None:
    record = person.read()
    for path, value in fields.items():
        _put(record, "employment.entityName" if path == "workplace" else path, value)
    person.write(record)
    if "workplace" in fields:
        person.institution = _place(population, fields["workplace"]).institution


def _put(record: dict[str, Any], path: str, value: Any) -> None:
    first, _, name = path.partition(".")
    if not name:
        record[first] = value
    elif first in _CURRENT:
        _entry(record, *_CURRENT[first])[name] = value
    else:
        record[first][name] = value


def _entry(record: dict[str, Any], name: str, flag: str) -> dict[str, Any]:
    """Return the entry that counts, created if there is none."""
    entries: list[dict[str, Any]] = record.get(name) or []
    if not entries:
        entries.append({flag: True})
    record[name] = entries
    return next((entry for entry in entries if entry.get(flag)), entries[0])
