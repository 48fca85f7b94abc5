"""The same seed gives the same people, in any order of asking and whatever the sizes."""

from tests.simulator.requests import ids, send
from tests.support.simulated import Simulator


def test_the_same_seed_gives_the_same_bytes_in_any_order(full: Simulator) -> None:
    with Simulator() as second:
        backwards = [send(second, key="037", page=page).content for page in (5, 2)]
    assert backwards == [send(full, key="037", page=page).content for page in (5, 2)]


def test_another_seed_gives_other_people(full: Simulator) -> None:
    with Simulator(seed=2) as other:
        theirs = set(ids(send(other, key="037", size=500)))
    assert len(theirs) == 500
    assert not theirs & set(ids(send(full, key="037", size=500)))


def test_a_smaller_size_keeps_the_first_people(full: Simulator) -> None:
    with Simulator(sizes={"001": 250, "037": 60}) as smaller:
        assert ids(send(smaller, key="001")) == ids(send(full, key="001"))
        people = smaller.people(vote="037")
    assert len(people) == 60
    assert any(person["institution"] == "TUME YA UTUMISHI SERIKALINI" for person in people)
    assert any(person["current_workplace"] and not person["institution"] for person in people)


def test_scale_shrinks_all_but_the_sizes_given() -> None:
    with Simulator(scale=0.01, sizes={"001": 7}) as tiny:
        keys = ("001", "037", "040", "035")
        overall = [send(tiny, key=key).json()["overallDataSize"] for key in keys]
    assert overall == [7, 64, 193, 1]


def test_random_failures_do_not_depend_on_other_requests(fresh: Simulator) -> None:
    fresh.control(failure_rate=0.3)
    forwards = [send(fresh, page=page).json()["code"] for page in range(20)]
    fresh.reset()
    fresh.control(failure_rate=0.3)
    backwards = [send(fresh, page=page).json()["code"] for page in reversed(range(20))]
    assert forwards == backwards[::-1]
    assert 2 <= forwards.count(500) <= 10
