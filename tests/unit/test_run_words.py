"""What a run says of how far it is."""

from tests.unit.test_asked_again_words import run


def test_pages_are_counted_while_they_are_those_that_were_asked_for() -> None:
    counts = {"kind": "sync", "remote_total": 140, "page_size": 100}
    assert run(**counts, pages=1, fetched=100, saved=100).message == "1 of 2 pages, 100 people saved."


def test_smaller_pages_are_counted_as_parts_of_those_that_were_asked_for() -> None:
    counts = {"remote_total": 140, "page_size": 100, "pages": 29, "fetched": 31, "saved": 30}
    assert run(kind="sync", **counts).message == "1 of 2 pages, 30 people saved."
    told = "1 of 2 pages, 30 people fetched. Nothing is saved as yet."
    assert run(kind="preview", **counts).message == told
