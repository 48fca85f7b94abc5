"""Single servers that are consistently wrong, with the figures that were met: what a run claims is true."""

import pytest

from tests.resilience.scenarios.wrong_servers import checks, paging, totals
from tests.resilience.scenarios.wrong_servers.listing import EMPTY_FORMS, Phase
from tests.resilience.scenarios.wrong_servers.paging import Paging
from tests.resilience.scenarios.wrong_servers.people import CLASHES
from tests.resilience.scenarios.wrong_servers.runner import Play, Played
from tests.resilience.scenarios.wrong_servers.scenarios import Scenario

pytestmark = pytest.mark.timeout(600)


def case(
    count: int,
    *phases: Phase,
    twice: int = 0,
    keyless: int = 0,
    clashes: tuple[str, ...] = (),
    is_keyless_last: bool = False,
) -> Scenario:
    """Return a list of so many records, and its runs."""
    wrong = phases[-1]
    label = f"{wrong.paging.name} ({wrong.paging.parameter}), {wrong.total}"
    return Scenario(0, label, (label,), count, twice, keyless, clashes, phases, is_keyless_last)


def wrong(
    page_size: int, rule: str = paging.HONEST, parameter: int = 0, *, total: str = totals.HONEST
) -> Phase:
    return Phase(page_size, Paging(rule, parameter), total)


def check(played: Played) -> None:
    """Fail with everything that the runs claim and that is not so."""
    found = checks.faults(played)
    assert not found, "\n".join(found)


CAP_10, CAP_100 = ("size capped, numbered by the cap", 10), ("size capped, numbered by the cap", 100)

PAGES = {
    "cap of 100, 200 asked for": case(1100, wrong(200, *CAP_100)),
    "cut to 100, 200 asked for": case(1100, wrong(200, "size cut to a cap", 100)),
    "cap of 10, by 10 and twice by 20": case(210, wrong(10, *CAP_10), wrong(20, *CAP_10), wrong(20, *CAP_10)),
    "same page": case(90, wrong(30, "same page for every number")),
    "same page, number as asked": case(
        90, Phase(30, Paging("same page for every number"), current_page="as asked")
    ),
    "same page, cut to the rest": case(250, wrong(100, "same page for every number, cut to the rest")),
    "clamped at the last page": case(250, wrong(100, "number clamped at the last page")),
    "clamped at the last full page": case(250, wrong(100, "number clamped at the last full page")),
    "clamped at the last full page, cut to the rest": case(
        250, wrong(100, "number clamped at the last full page, cut to the rest")
    ),
    "overlap by half": case(250, wrong(50, "overlap by half")),
    "overlap by one": case(250, wrong(50, "overlap by one")),
    "overlap by one of a hundred": case(100, wrong(50, "overlap by one")),
    "numbered from one": case(250, wrong(50, "numbered from one")),
    "numbered from one, page 0 empty": case(250, wrong(50, "numbered from one, page 0 empty")),
    "size ignored, smaller": case(250, wrong(50, "size ignored", 20)),
    "size ignored, larger": case(250, wrong(50, "size ignored", 60)),
    "more than asked": case(250, wrong(50, "more than asked", 5)),
    "size raised to a minimum": case(250, wrong(10, "size raised to a minimum", 25)),
    "size rounded up": case(250, wrong(50, "size rounded up", 30)),
    "size rounded down": case(250, wrong(50, "size rounded down", 30)),
    "offset by the cap, size as asked": case(250, wrong(50, "offset by the cap, size as asked", 25)),
    "wraps around": case(250, wrong(100, "wraps around")),
    "deep pages empty": case(125, wrong(25, "deep pages empty", 50)),
    "deep pages repeat": case(125, wrong(25, "deep pages repeat", 50)),
}

TOTALS = {
    "total 0 beside 30 records": case(30, wrong(50, total="total 0 with people")),
    "total 0 beside a full page": case(250, wrong(50, total="total 0 with people")),
    "three people, then total 0 twice": case(3, wrong(50, total="then total 0 twice, no records")),
    "three people, then total 0 always": case(3, wrong(50, total="then total 0 always, no records")),
    "30 people, then total 0 beside them": case(30, wrong(50, total="then total 0 always, with records")),
    "total of the page": case(250, wrong(100, total="total of the page")),
    "total of the page, one page exactly": case(100, wrong(50, total="total of the page")),
    "total so far": case(250, wrong(100, total="total so far")),
    "number of pages": case(250, wrong(100, total="total is the number of pages")),
    "number of pages, as many as a page has records": case(
        100, wrong(10, total="total is the number of pages")
    ),
    "number of pages, as many as four pages have": case(400, wrong(10, total="total is the number of pages")),
    "size asked for": case(250, wrong(100, total="total is the size asked for")),
    "total of the page, same page under its own number": case(
        250,
        Phase(100, Paging("same page for every number"), total="total of the page", current_page="as sent"),
    ),
    "total of the page, overlap by one under its own number": case(
        209, Phase(25, Paging("overlap by one"), total="total of the page", current_page="as sent")
    ),
    "total of the page, page 0 empty": case(
        254, wrong(10, "numbered from one, page 0 empty", total="total of the page")
    ),
    "total of the page, page 0 empty, under its own number": case(
        377,
        wrong(50),
        Phase(
            50,
            Paging("numbered from one, page 0 empty"),
            total="total of the page",
            current_page="as sent",
        ),
    ),
    "size asked for, and no person with a ZanID behind it": case(
        105, wrong(100, total="total is the size asked for"), keyless=5, is_keyless_last=True
    ),
    "cap and total of the page": case(250, wrong(50, "size cut to a cap", 20, total="total of the page")),
}


@pytest.mark.parametrize("scenario", PAGES.values(), ids=PAGES)
def test_pages_that_are_cut_wrongly_hide_no_one(play: Play, scenario: Scenario) -> None:
    check(play(scenario))


@pytest.mark.parametrize("scenario", TOTALS.values(), ids=TOTALS)
def test_a_wrong_total_hides_no_one(play: Play, scenario: Scenario) -> None:
    check(play(scenario))


def test_a_first_answer_without_records_is_not_the_list(play: Play) -> None:
    """A total that grows is read: everybody is asked for, and saved."""
    played = play(case(250, wrong(50, total="first answer: total 0, no records")))
    check(played)
    assert len(played.results[0].sent) == 250, checks.claim(played.results[0])


@pytest.mark.parametrize("form", EMPTY_FORMS)
def test_an_empty_institution_is_complete(play: Play, form: str) -> None:
    played = play(case(0, Phase(50, empty_form=form)))
    check(played)
    assert played.results[0].run.outcome == "complete", checks.claim(played.results[0])


@pytest.mark.parametrize("field", CLASHES)
def test_two_people_with_one_zan_id_do_not_swing(play: Play, field: str) -> None:
    """One of each pair is saved, the other is a reject, and further runs change nothing."""
    played = play(case(120, *[wrong(20)] * 3, clashes=(field, field)))
    check(played)
    for result in played.results:
        assert sum(result.rejects.values()) >= 2, checks.claim(result)


def test_two_people_with_one_zan_id_on_one_page_do_not_swing(play: Play) -> None:
    played = play(case(40, *[wrong(50)] * 3, clashes=("name",)))
    check(played)
    assert all(sum(result.rejects.values()) >= 1 for result in played.results)


def test_a_few_people_who_are_listed_twice_are_no_gap(play: Play) -> None:
    """Repeats of at most 1 % that HRIMS confirms one record at a time: the run is complete and says so."""
    played = play(case(400, wrong(50), twice=2))
    check(played)
    assert "2 people are listed twice" in played.results[0].run.message, checks.claim(played.results[0])


def test_many_people_who_are_listed_twice_prove_nothing(play: Play) -> None:
    """Above 1 % a repeat counts for no record: not complete, and no one is missed."""
    played = play(case(200, wrong(50), wrong(50), twice=6))
    check(played)
    for result in played.results:
        assert result.run.outcome == "incomplete", checks.claim(result)
        assert result.run.seen_twice == 6, checks.claim(result)


@pytest.mark.parametrize("rule", ["size capped, numbered by the cap", "size cut to a cap"])
def test_a_cap_is_found_and_kept_to(play: Play, rule: str) -> None:
    """The pass starts again with pages that HRIMS gives whole; the next run asks for a larger one only to see
    whether that is still so.
    """
    first, second = play(case(210, wrong(50, rule, 20), wrong(50, rule, 20))).results
    assert first.run.outcome in checks.COMPLETE, checks.claim(first)
    assert len(first.rows) == 210
    assert "20 records a page" in first.run.message, checks.claim(first)
    assert second.run.outcome in checks.COMPLETE, checks.claim(second)
    assert "20 records a page" in second.run.message, checks.claim(second)
    assert [size for _, size in second.asked if size > 20] == [50, 50]


def test_a_cap_that_is_gone_is_forgotten(play: Play) -> None:
    """A passing fault of one list would make all later runs of the endpoint slow."""
    capped = wrong(50, "size capped, numbered by the cap", 20)
    results = play(case(210, capped, wrong(50), wrong(50))).results
    assert [result.run.outcome for result in results] == ["complete"] * 3
    assert max(size for _, size in results[1].asked[:-3]) <= 20
    assert {size for _, size in results[2].asked} == {50}
    assert "records a page" not in results[2].run.message


def test_a_server_with_one_page_size_is_read_with_it(play: Play) -> None:
    """Edges between pages are not read there: HRIMS gives no small pages."""
    rule = "size ignored"
    played = play(case(250, wrong(20, rule, 60), wrong(20, rule, 60)))
    check(played)
    for result in played.results:
        assert result.run.outcome in checks.COMPLETE, checks.claim(result)
        assert len(result.rows) == 250


@pytest.mark.parametrize("count", [26, 130])
def test_pages_with_another_number_are_not_split(play: Play, count: int) -> None:
    numbered = Phase(12, Paging("numbered from one"), current_page="as sent")
    played = play(case(count, numbered))
    check(played)
    (result,) = played.results
    assert result.run.outcome == "incomplete", checks.claim(result)
    parts = {number * size // 12 for number, size in result.asked if size in {3, 4}}
    assert len(parts) <= 4, "as many as are in flight before it shows that it is no single page"
    assert result.requests <= 600, checks.claim(result)


@pytest.mark.parametrize("count", [250, 330])
def test_a_server_without_small_pages_is_read_again_instead_of_its_edges(
    play_with_edges: Play, count: int
) -> None:
    """HRIMS gives the pages of the list as they are asked for, but none as small as an edge."""
    played = play_with_edges(case(count, wrong(100, "size raised to a minimum", 25)))
    check(played)
    (result,) = played.results
    assert result.run.outcome in checks.COMPLETE, checks.claim(result)
    assert len(result.rows) == count


def test_more_records_than_a_page_can_hold_fail_the_run_with_a_message(play: Play) -> None:
    (result,) = play(case(700, wrong(100, "size ignored", 700))).results
    assert result.run.state == "failed", checks.claim(result)
    assert "HRIMS gives 700 records a page" in result.run.message, checks.claim(result)


@pytest.mark.parametrize("current_page", ["absent", "as sent"])
@pytest.mark.parametrize("count", [201, 200, 100])
def test_a_server_that_repeats_its_last_page_costs_few_requests(
    play: Play, count: int, current_page: str
) -> None:
    clamped = Paging("number clamped at the last page")
    played = play(case(count, Phase(100, clamped, current_page=current_page)))
    check(played)
    (result,) = played.results
    assert result.run.outcome in checks.COMPLETE, checks.claim(result)
    assert result.requests <= 20, checks.claim(result)


def test_an_honest_server_is_complete_at_once(play: Play) -> None:
    played = play(case(240, wrong(50), keyless=3))
    check(played)
    assert played.results[0].run.outcome == "complete", checks.claim(played.results[0])
