"""How a server cuts its list into pages. Input: page number, page size, number of records, a parameter.
Output: the positions that the server sends. Pure; every rule but ``honest`` is wrong in a consistent way.
"""

from collections.abc import Callable
from dataclasses import dataclass

Rule = Callable[[int, int, int, int], list[int]]


def _slice(start: int, length: int, count: int) -> list[int]:
    return list(range(max(0, start), max(0, min(count, start + length))))


def _honest(number: int, size: int, count: int, _: int) -> list[int]:
    return _slice(number * size, size, count)


def _capped(number: int, size: int, count: int, cap: int) -> list[int]:
    return _honest(number, min(size, cap), count, 0)


def _cut(number: int, size: int, count: int, cap: int) -> list[int]:
    return _slice(number * size, min(size, cap), count)


def _same_page(number: int, size: int, count: int, _: int) -> list[int]:
    return _honest(0, size, count, 0)


def _clamped(number: int, size: int, count: int, _: int) -> list[int]:
    return _honest(min(number, max(0, -(-count // size) - 1)), size, count, 0)


def _clamped_full(number: int, size: int, count: int, _: int) -> list[int]:
    return _honest(min(number, max(0, count // size - 1)), size, count, 0)


def _clamped_rest(number: int, size: int, count: int, _: int) -> list[int]:
    return _clamped_full(number, size, count, 0)[: len(_honest(number, size, count, 0))]


def _same_rest(number: int, size: int, count: int, _: int) -> list[int]:
    return _honest(0, size, count, 0)[: len(_honest(number, size, count, 0))]


def _one_based(number: int, size: int, count: int, _: int) -> list[int]:
    return _honest(max(0, number - 1), size, count, 0)


def _one_based_strict(number: int, size: int, count: int, _: int) -> list[int]:
    return _honest(number - 1, size, count, 0) if number else []


def _overlap_half(number: int, size: int, count: int, _: int) -> list[int]:
    return _slice(number * max(1, size // 2), size, count)


def _overlap_one(number: int, size: int, count: int, _: int) -> list[int]:
    return _slice(number * max(1, size - 1), size, count)


def _gap_of_one(number: int, size: int, count: int, _: int) -> list[int]:
    return _slice(number * (size + 1), size, count)


def _fixed_size(number: int, size: int, count: int, fixed: int) -> list[int]:
    return _honest(number, fixed, count, 0)


def _more_than_asked(number: int, size: int, count: int, more: int) -> list[int]:
    return _slice(number * size, size + more, count)


def _raised(number: int, size: int, count: int, least: int) -> list[int]:
    return _slice(number * size, max(size, least), count)


def _rounded_up(number: int, size: int, count: int, step: int) -> list[int]:
    return _honest(number, -(-size // step) * step, count, 0)


def _rounded_down(number: int, size: int, count: int, step: int) -> list[int]:
    return _honest(number, max(1, size // step) * step, count, 0)


def _stride_of_cap(number: int, size: int, count: int, cap: int) -> list[int]:
    return _slice(number * min(size, cap), size, count)


def _fixed_stride(number: int, size: int, count: int, stride: int) -> list[int]:
    return _slice(number * stride, size, count)


def _wraps(number: int, size: int, count: int, _: int) -> list[int]:
    return [(number * size + place) % count for place in range(min(size, count))]


def _deep_empty(number: int, size: int, count: int, limit: int) -> list[int]:
    return [place for place in _honest(number, size, count, 0) if place < limit]


def _deep_repeats(number: int, size: int, count: int, limit: int) -> list[int]:
    return _honest(min(number, limit // size), size, count, 0)


def _order_by_size(number: int, size: int, count: int, _: int) -> list[int]:
    order = sorted(range(count), key=lambda place: (place + 1) * (2 * size + 1) * 2_654_435_761 % 2**32)
    return [order[place] for place in _honest(number, size, count, 0)]


HONEST = "honest pages"

RULES: dict[str, Rule] = {
    HONEST: _honest,
    "size capped, numbered by the cap": _capped,
    "size cut to a cap": _cut,
    "same page for every number": _same_page,
    "same page for every number, cut to the rest": _same_rest,
    "number clamped at the last page": _clamped,
    "number clamped at the last full page": _clamped_full,
    "number clamped at the last full page, cut to the rest": _clamped_rest,
    "numbered from one": _one_based,
    "numbered from one, page 0 empty": _one_based_strict,
    "overlap by half": _overlap_half,
    "overlap by one": _overlap_one,
    "gap of one": _gap_of_one,
    "size ignored": _fixed_size,
    "more than asked": _more_than_asked,
    "size raised to a minimum": _raised,
    "size rounded up": _rounded_up,
    "size rounded down": _rounded_down,
    "offset by the cap, size as asked": _stride_of_cap,
    "offset by a fixed stride": _fixed_stride,
    "wraps around": _wraps,
    "deep pages empty": _deep_empty,
    "deep pages repeat": _deep_repeats,
    "order depends on the size": _order_by_size,
}


@dataclass(frozen=True)
class Paging:
    """A rule and its parameter: a cap, a step, a stride or a limit in records."""

    name: str = HONEST
    parameter: int = 0

    def places(self, number: int, size: int, count: int) -> list[int]:
        """Return the positions that this page holds, of a list of ``count`` records."""
        return RULES[self.name](number, size, count, self.parameter) if count and size > 0 else []
