"""Cost of the drift counts for each person: ``python -m benchmarks.drift``. At most 4 microseconds.

Measures the processor time of this process only, beside decoding and mapping the same pages.
"""

from benchmarks.shape import PAGES, SIZE, page, rate
from hrims.drift.tally import lacks_key, tally
from hrims.employees.fields import Row
from hrims.employees.mapping import map_record
from hrims.remote.wire import Page, decode_page

LIMIT = 4.0


def main() -> None:
    """Print the microseconds for each person, from the best of several rounds."""
    pages = [decode_page(page(number), number=number, size=SIZE) for number in range(PAGES)]
    shaped = [(page, _rows(page)) for page in pages]
    mapped = 1e6 / rate(lambda: [_rows(page) for page in pages])
    counted = 1e6 / rate(lambda: [(tally(page, rows), lacks_key(page)) for page, rows in shaped])
    verdict = "holds" if counted < LIMIT else "DOES NOT HOLD"
    print(f"  mapping {mapped:.2f} µs a person; drift {counted:.2f} µs; under {LIMIT} µs: {verdict}")


def _rows(page: Page) -> list[Row]:
    return [row for row in map(map_record, page.records) if isinstance(row, Row)]


if __name__ == "__main__":
    main()
