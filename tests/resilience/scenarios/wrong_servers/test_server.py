"""The wrong servers themselves: independent of the product, right where they are honest, all drawn."""

import ast
import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.resilience.scenarios.wrong_servers import paging, totals
from tests.resilience.scenarios.wrong_servers.listing import EMPTY_FORMS, Change, Listing, Phase
from tests.resilience.scenarios.wrong_servers.paging import Paging
from tests.resilience.scenarios.wrong_servers.people import Population, listing_of
from tests.resilience.scenarios.wrong_servers.scenarios import KINDS, draw
from tests.resilience.scenarios.wrong_servers.server import Server

INDEPENDENT = ("server.py", "listing.py", "paging.py", "people.py", "scenarios.py", "totals.py")


def listing(count: int = 95, **given: Any) -> Listing:
    population = Population(1)
    return Listing(population, listing_of(population, Random(1), count=count, **given), seed=1)


def ask(server: Server, number: int, size: int, vote: str = "037") -> dict[str, Any]:
    payload = {"PageNumber": number, "PageSize": size, "RequestBody": vote}
    body = {"RequestId": "204", "RequestPayloadData": payload}
    answer: dict[str, Any] = httpx.post(f"{server.url}/Employees", json=body, trust_env=False).json()
    return answer


@pytest.mark.parametrize("name", INDEPENDENT)
def test_no_code_is_shared_with_the_product(name: str) -> None:
    tree = ast.parse(Path(__file__).with_name(name).read_text())
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not [module for module in imported if module.partition(".")[0] == "hrims"]


def test_an_honest_server_gives_everybody_once() -> None:
    listed = listing(twice=1, keyless=2, clashes=("name",))
    with Server({"037": listed}) as server:
        listed.begin(Phase(20), bound=10)
        answers = [ask(server, number, 20) for number in range(6)]
        unknown = ask(server, 0, 20, vote="999")
    assert [answer["overallDataSize"] for answer in answers] == [95] * 6
    assert [answer["currentDataSize"] for answer in answers] == [20, 20, 20, 20, 15, 0]
    records = [record for answer in answers for record in answer["data"]]
    assert records == [json.loads(person.record()) for person in listed.people]
    assert listed.sent == listed.throughout == set(listed.people)
    assert unknown["code"] == 404


@pytest.mark.parametrize("form", EMPTY_FORMS)
def test_nothing_has_four_forms(form: str) -> None:
    listed = listing(0)
    with Server({"037": listed}) as server:
        listed.begin(Phase(20, empty_form=form), bound=10)
        answer = ask(server, 0, 20)
    assert answer["overallDataSize"] == 0
    assert answer.get("data", "absent") == {"[]": [], "null": None, "{}": {}, "absent": "absent"}[form]


def test_a_run_that_asks_too_often_is_refused() -> None:
    listed = listing()
    listed.begin(Phase(20), bound=2)
    assert [listed.reply(0, 20).failure for _ in range(3)] == [None, None, "http 401"]
    assert listed.is_overrun


def test_the_truth_follows_changes() -> None:
    listed = listing()
    gone = listed.people[0]
    listed.begin(Phase(20, changes=(Change(2, "remove", 0, 0), Change(3, "add", 0, 0))), bound=10)
    before, _, after = [listed.reply(0, 20) for _ in range(3)]
    assert gone in before.records
    assert gone not in after.records
    assert gone not in listed.throughout
    assert len(listed.people) == 95
    assert len(listed.throughout) == 94


@pytest.mark.parametrize(
    ("rule", "parameter", "number", "places"),
    [
        ("size capped, numbered by the cap", 10, 2, range(20, 30)),
        ("size cut to a cap", 10, 2, range(40, 50)),
        ("same page for every number", 0, 2, range(20)),
        ("number clamped at the last page", 0, 9, range(80, 95)),
        ("number clamped at the last full page", 0, 4, range(60, 80)),
        ("numbered from one", 0, 2, range(20, 40)),
        ("overlap by half", 0, 2, range(20, 40)),
        ("overlap by one", 0, 2, range(38, 58)),
        ("gap of one", 0, 2, range(42, 62)),
        ("size ignored", 30, 2, range(60, 90)),
        ("more than asked", 3, 2, range(40, 63)),
        ("size raised to a minimum", 30, 2, range(40, 70)),
        ("size rounded up", 15, 2, range(60, 90)),
        ("size rounded down", 15, 2, range(30, 45)),
        ("offset by the cap, size as asked", 10, 2, range(20, 40)),
        ("offset by a fixed stride", 30, 2, range(60, 80)),
        ("wraps around", 0, 4, [*range(80, 95), *range(5)]),
    ],
)
def test_pages_are_cut_as_named(rule: str, parameter: int, number: int, places: range | list[int]) -> None:
    assert Paging(rule, parameter).places(number, 20, 95) == list(places)


def test_seeds_draw_every_behaviour_and_are_the_same_each_time() -> None:
    scenarios = [draw(seed) for seed in range(300)]
    assert scenarios == [draw(seed) for seed in range(300)]
    assert min(Counter(scenario.kind for scenario in scenarios).values()) >= 300 // len(KINDS)
    phases = [phase for scenario in scenarios for phase in scenario.phases]
    assert {phase.paging.name for phase in phases} == set(paging.RULES)
    assert {phase.total for phase in phases} == set(totals.RULES)
    assert sum(bool(phase.changes) for phase in phases) > 100
    assert sum(phase.failure_rate > 0 for phase in phases) > 100
