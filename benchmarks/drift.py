"""What counting for drift costs a person: ``python -m benchmarks.drift``. At most 4 microseconds.

Processor time of this process alone, beside decoding and mapping the same pages.
"""

from benchmarks.shape import PAGES, SIZE, page, rate
from hrims.drift.tally import lacks_key, tally
from hrims.employees.mapping import Row, to_row
from hrims.remote.wire import Page, decode_page

LIMIT = 4.0


def main() -> None:
    """Prints microseconds a person, the best of some rounds."""
    pages = [decode_page(page(number), number=number, size=SIZE) for number in range(PAGES)]
    shaped = [(one, _rows(one)) for one in pages]
    mapped = 1e6 / rate(lambda: [_rows(one) for one in pages])
    counted = 1e6 / rate(lambda: [(tally(one, rows), lacks_key(one)) for one, rows in shaped])
    verdict = "holds" if counted < LIMIT else "DOES NOT HOLD"
    print(f"  mapping {mapped:.2f} µs a person; drift {counted:.2f} µs; under {LIMIT} µs: {verdict}")


def _rows(one: Page) -> list[Row]:
    return [row for row in map(to_row, one.records) if isinstance(row, Row)]


if __name__ == "__main__":
    main()
