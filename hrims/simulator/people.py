"""The people as tests see and change them: a country and what is asked of it in, ZanIDs and
expected values out. New people, changed people, transfers and leavers are made here."""

from typing import Any

from hrims.simulator.behaviour import Refused
from hrims.simulator.country import Country, Person
from hrims.simulator.expected import expected
from hrims.simulator.person import Place
from hrims.simulator.register import Institution

_CURRENT = {
    "employment": ("employmentHistories", "isCurrent"),
    "salary": ("salaryInformation", "isCurrent"),
    "contract": ("contractDetails", "isActive"),
}
"""Short names for the entry that counts in each list."""


def shown(country: Country, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Everybody whom the institution lists now, in order, as a client should know them; without
    an institution, everybody."""
    with country.lock:
        keyed = _has_key(given)
        listed = country.listing(_institution(country, given)) if keyed else country.everybody()
        numbers = list(listed)  # pages are answered while the values are worked out
    return [_shown(country, country.person(number)) for number in numbers]


def _shown(country: Country, person: Person) -> dict[str, Any]:
    at = person.institution
    name = None if at is None else country.register[at].name
    return expected(person.read()) | {"institution": name}


def named(country: Country, given: dict[str, Any]) -> int:
    """The person's number, by ``zanId`` or by ``vote`` or ``tin`` and ``index``."""
    if "zanId" in given:
        number = country.find(given["zanId"])
        if number is None:
            raise Refused("nobody has this ZanID")
        return number
    listing = country.listing(_institution(country, given))
    if not 0 <= int(given.get("index", -1)) < len(listing):
        raise Refused(f"give an index below {len(listing)}")
    return listing[int(given["index"])]


def add(country: Country, given: dict[str, Any]) -> list[str]:
    """``{vote|tin, count?, at?, workplace?, fields?}``: new people, at the end or at an index."""
    institution = _institution(country, given)
    place = _place(country, given.get("workplace", institution.name))
    added = []
    for offset in range(int(given.get("count", 1))):
        at = None if given.get("at") is None else int(given["at"]) + offset
        person = country.add(institution, place, at)
        _set(country, person, given.get("fields", {}))
        added.append(person)
    return [_zan_id(person) for person in added]


def remove(country: Country, given: dict[str, Any]) -> list[str]:
    """``{zanIds, vote?|tin?}``: from one listing, or from all of them."""
    where = [_institution(country, given)] if _has_key(given) else list(country.register)
    numbers = {named(country, {"zanId": one}) for one in given["zanIds"]}
    for institution in where:
        country.remove(institution, numbers)
    return list(given["zanIds"])


def change(country: Country, given: dict[str, Any]) -> list[str]:
    """``{zanId | vote+index, fields}``: ``fields`` by path, ``personalInfo.firstName``,
    ``employment.titleName`` (``salary``, ``contract``: the entry that counts), ``workplace``."""
    person = country.person(named(country, given))
    with country.lock:
        _set(country, person, given["fields"])
    return [_zan_id(person)]


def move(country: Country, given: dict[str, Any]) -> list[str]:
    """``{vote|tin, from, to}``: one person to another index of the listing."""
    institution = _institution(country, given)
    number = country.move(institution, int(given["from"]), int(given["to"]))
    return [_zan_id(country.person(number))]


def make(country: Country, given: dict[str, Any]) -> list[str]:
    """``{vote|tin}``: makes everybody whom it lists now, so that no measurement waits for it."""
    institution = _institution(country, given)
    return [_zan_id(country.person(number)) for number in country.listing(institution)]


def _institution(country: Country, given: dict[str, Any]) -> Institution:
    found = country.institution(vote=given.get("vote", ""), tin=given.get("tin", ""))
    if found is None:
        raise Refused("give the vote or tin of an institution of the register")
    return found


def _has_key(given: dict[str, Any]) -> bool:
    return "vote" in given or "tin" in given


def _zan_id(person: Person) -> str:
    return str(expected(person.read())["zan_id"])


def _place(country: Country, workplace: str) -> Place:
    numbers = [one.number for one in country.register if one.name == workplace]
    return Place(workplace, numbers[0] if numbers else None)


def _set(country: Country, person: Person, fields: dict[str, Any]) -> None:
    record = person.read()
    for path, value in fields.items():
        _put(record, "employment.entityName" if path == "workplace" else path, value)
    person.write(record)
    if "workplace" in fields:
        person.institution = _place(country, fields["workplace"]).institution


def _put(record: dict[str, Any], path: str, value: Any) -> None:
    first, _, name = path.partition(".")
    if not name:
        record[first] = value
    elif first in _CURRENT:
        _entry(record, *_CURRENT[first])[name] = value
    else:
        record[first][name] = value


def _entry(record: dict[str, Any], name: str, flag: str) -> dict[str, Any]:
    """The entry that counts; made where there is none."""
    entries: list[dict[str, Any]] = record.get(name) or []
    if not entries:
        entries.append({flag: True})
    record[name] = entries
    return next((one for one in entries if one.get(flag)), entries[0])
