"""The message of a run while it requests a part of the list again."""

from hrims.errors import RemoteFailed
from hrims.sync.passes import _retry_message
from hrims.sync.spans import Span


def test_it_names_the_records_or_the_only_one() -> None:
    error = RemoteFailed("HRIMS failed.")
    assert _retry_message(Span(100, 11), error) == "Records 1,101 to 1,200: HRIMS failed. Requesting again."
    assert _retry_message(Span(1, 80), error) == "Record 81: HRIMS failed. Requesting again."
