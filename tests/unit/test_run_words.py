"""What a run says of how far it is."""

from tests.unit.test_asked_again_words import run


def test_pages_are_counted_while_they_are_those_that_were_asked_for() -> None:
    counts = {"kind": "sync", "remote_total": 140, "page_size": 100}
    assert run(**counts, pages=1, fetched=100, saved=100).message == "1 of 2 pages, 100 people saved."


def test_the_number_of_smaller_pages_is_not_told_for_it_tells_nothing() -> None:
    counts = {"remote_total": 140, "page_size": 100, "pages": 29, "fetched": 31, "saved": 30}
    assert run(kind="sync", **counts).message == "31 of 140 records, in smaller pages, 30 people saved."
    told = "31 of 140 records, in smaller pages, 30 people fetched. Nothing is saved as yet."
    assert run(kind="preview", **counts).message == told
