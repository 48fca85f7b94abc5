"""The cursor returns every unsaved position once, and retries in the order in which they are due."""

from hypothesis import given
from hypothesis import strategies as st

from hrims.sync.cursor import Cursor, PageRequest
from hrims.sync.spans import Span

TOTAL = 400
ranges = st.tuples(st.integers(0, TOTAL), st.integers(0, TOTAL)).map(lambda pair: (min(pair), max(pair)))


def _positions(spans: list[tuple[int, int]]) -> list[int]:
    return [position for start, stop in spans for position in range(start, min(stop, TOTAL))]


@given(st.lists(ranges, max_size=5), st.integers(0, TOTAL), st.lists(st.integers(1, 120), min_size=1))
def test_pages_cover_each_unsaved_position_once(
    saved: list[tuple[int, int]], total: int, sizes: list[int]
) -> None:
    cursor, pages = Cursor(saved), list[tuple[int, int]]()
    while page := cursor.next_page(total, sizes[len(pages) % len(sizes)]):
        pages.append((page.span.start, page.span.stop))
    fetched = [position for position in _positions(pages) if position < total]
    assert sorted(fetched) == sorted(set(range(total)) - set(_positions(saved)))
    assert cursor.is_exhausted(total)
    assert cursor.pages == len(pages)


@given(ranges, st.integers(1, 60))
def test_released_positions_are_requested_again(released: tuple[int, int], size: int) -> None:
    cursor = Cursor([(0, TOTAL)])
    cursor.release(*released)
    pages = []
    while page := cursor.next_page(TOTAL, size):
        pages.append((page.span.start, page.span.stop))
    assert sorted(_positions(pages)) == list(range(*released))


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 100))
def test_retries_are_returned_when_due_the_longest_due_first(due: list[float], now: float) -> None:
    cursor = Cursor([])
    for number, time in enumerate(due):
        cursor.retry(PageRequest(Span(10, number)), time)
    assert cursor.next_due == min(due)
    returned = []
    while request := cursor.pop_due(now):
        returned.append(due[request.span.number])
    assert returned == sorted(time for time in due if time <= now)
    assert cursor.is_exhausted(0) == (len(returned) == len(due))


@given(st.integers(1, 5), st.integers(1, 100))
def test_only_the_first_pages_are_requested_while_the_total_is_unknown(limit: int, size: int) -> None:
    cursor, pages = Cursor([]), []
    while page := cursor.first_page(size, limit):
        pages.append(page.span)
    assert pages == [Span(size, number) for number in range(limit)]


def test_a_part_keeps_the_failures_of_its_page() -> None:
    request = PageRequest(Span(10, 3))
    for responses in (4, 4):
        request.add_failure(responses)
    part = request.part(Span(2, 15), request.first_page)
    assert (request.tries, request.is_unconfirmed) == (2, True)
    assert (part.earlier, part.tries, part.responses_before, part.first_page) == (2, 0, 4, Span(10, 3))
