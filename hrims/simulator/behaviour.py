"""The current behaviour of the simulator.

Input: a JSON object to merge. Output: a Behaviour, or InvalidControl with a message.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from hrims.simulator.request_parser import ParsedRequest


class InvalidControl(Exception):
    """An error for an invalid value at the control address."""


@dataclass(frozen=True)
class Match:
    """The requests that a fault or a hold applies to; an omitted field matches any value.

    ``key`` is a vote code or TIN.
    """

    operation: str | None = None
    key: str | None = None
    page: int | None = None
    size: int | None = None

    def is_match(self, request: ParsedRequest) -> bool:
        """Return whether this request matches."""
        mine = (self.operation, self.key, self.page, self.size)
        asked = (request.operation, request.key, request.page, request.size)
        return all(want is None or want == got for want, got in zip(mine, asked, strict=True))


DETAILS = {
    *("seconds", "retry_after", "bytes", "pause_ms", "missing", "number"),
    *("records", "tiny", "index", "path", "value", "total"),
}
"""The details that the kinds of failures accept; the docstring of each kind says which."""


@dataclass
class Fault:
    """A pending failure of ``kind`` for requests that ``match``.

    It strikes ``times`` more times (None: without limit), each time with the probability ``rate``.
    ``details`` are passed to the kind.
    """

    kind: str
    match: Match
    times: int | None = None
    rate: float = 1.0
    details: dict[str, Any] = field(default_factory=dict)

    def is_due(self, request: ParsedRequest, rng: float) -> bool:
        """Return whether it strikes this request. If so, decrement ``times``."""
        if self.times == 0 or rng >= self.rate or not self.match.is_match(request):
            return False
        self.times = None if self.times is None else self.times - 1
        return True


@dataclass(frozen=True)
class Behaviour:
    """All that ``PUT /_control`` changes. Units: milliseconds, seconds, and shares from 0 to 1.

    - ``failure_kinds`` has the weights of the kinds from which ``failure_rate`` draws.
    - ``faults`` apply to exact requests and come first.
    - ``poison`` lists people, ``{"vote": "037", "index": 7}`` or ``{"zanId": "…"}``. Every page that contains
      one of them fails with ``poison_kind``.
    - ``moves`` moves ``count`` people of a listing after every ``every`` pages of it.
    - ``total_drift`` is the maximum error of ``overallDataSize``.
    - ``credentials`` is ok, wrong (401) or expired (403).
    - ``down`` closes every connection without a response.

    Four more fields change pages only. In them, a path is ``part.field`` or a top-level name.

    - ``renamed_fields`` gives fields new names.
    - ``missing_fields`` are omitted.
    - ``new_fields`` are added with a value.
    - ``emptied_fields`` are null for a share of the people.
    """

    latency_ms: float = 0
    jitter_ms: float = 0
    failure_rate: float = 0
    failure_kinds: dict[str, float] = field(default_factory=lambda: {"body500": 1.0})
    faults: tuple[Fault, ...] = ()
    timeout_seconds: float = 600
    retry_after: int | None = None
    poison: tuple[dict[str, Any], ...] = ()
    poison_kind: str = "body500"
    moves: dict[str, int] | None = None
    total_drift: int = 0
    credentials: str = "ok"
    down: bool = False
    unknown_fields: bool = False
    spare_fields: bool = True
    renamed_fields: dict[str, str] = field(default_factory=dict)
    missing_fields: tuple[str, ...] = ()
    new_fields: dict[str, Any] = field(default_factory=dict)
    emptied_fields: dict[str, float] = field(default_factory=dict)


def merge_behaviour(now: Behaviour, changes: Any, kinds: set[str]) -> Behaviour:
    """Return the behaviour with these changes.

    Raises InvalidControl and changes nothing if one is invalid.
    """
    if not isinstance(changes, dict):
        raise InvalidControl("give a JSON object")
    known = {field.name for field in fields(Behaviour)}
    if unknown := set(changes) - known:
        raise InvalidControl(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return replace(now, **{name: _checked(name, value, kinds) for name, value in changes.items()})


def _checked(name: str, value: Any, kinds: set[str]) -> Any:
    if name == "faults":
        return tuple(fault(item, kinds) for item in value)
    if name == "poison":
        return tuple(value)
    if name == "missing_fields" and isinstance(value, list | tuple):
        value = tuple(value)
    if name == "failure_kinds":
        _check_kinds(value, kinds)
    elif name == "poison_kind":
        _check_kinds([value], kinds)
    elif not _CHECKS[name][0](value):
        raise InvalidControl(f"{name} is {_CHECKS[name][1]}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_moves(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) - {"every", "count"}:
        return False
    return all(_is_whole(count) and count for count in value.values())


def _is_named(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict)
        and all(isinstance(name, str) and name and of(item) for name, item in value.items())
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


_NUMBER = (_is_number, "a number from 0")
_YES_OR_NO = (lambda value: isinstance(value, bool), "true or false")
_CHECKS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "latency_ms": _NUMBER,
    "jitter_ms": _NUMBER,
    "timeout_seconds": _NUMBER,
    "failure_rate": (lambda value: _is_number(value) and value <= 1, "a share from 0 to 1"),
    "retry_after": (lambda value: value is None or _is_whole(value), "seconds or null"),
    "total_drift": (_is_whole, "a whole number from 0"),
    "moves": (lambda value: value is None or _is_moves(value), "null or {every, count}"),
    "credentials": (lambda value: value in ("ok", "wrong", "expired"), "ok, wrong or expired"),
    "down": _YES_OR_NO,
    "unknown_fields": _YES_OR_NO,
    "spare_fields": _YES_OR_NO,
    "renamed_fields": (_is_named(_is_text), "an object of names by path"),
    "missing_fields": (
        lambda value: isinstance(value, tuple) and all(map(_is_text, value)),
        "a list of paths",
    ),
    "new_fields": (_is_named(lambda _: True), "an object of values by path"),
    "emptied_fields": (
        _is_named(lambda value: _is_number(value) and value <= 1),
        "an object of shares from 0 to 1 by path",
    ),
}


def _check_kinds(given: Any, kinds: set[str]) -> None:
    if unknown := set(given) - kinds:
        known = ", ".join(sorted(kinds))
        raise InvalidControl(f"no such failure: {', '.join(sorted(unknown))}; known: {known}")


def fault(given: Any, kinds: set[str]) -> Fault:
    """Return the Fault for ``{kind, operation?, vote?|tin?|key?, page?, size?, times?, rate?, …}``."""
    rest = dict(given)
    kind = rest.pop("kind", "body500")
    _check_kinds([kind], kinds)
    meant, times, rate = match(rest), rest.pop("times", None), rest.pop("rate", 1.0)
    if unknown := set(rest) - DETAILS:
        raise InvalidControl(f"unknown in a fault: {', '.join(sorted(unknown))}")
    return Fault(kind, meant, times, rate, rest)


def match(rest: dict[str, Any]) -> Match:
    """Remove the fields of a match from ``rest`` and return the Match."""
    keys = [rest.pop(name, None) for name in ("vote", "tin", "key")]
    key = next((value for value in keys if value is not None), None)
    return Match(rest.pop("operation", None), key, rest.pop("page", None), rest.pop("size", None))


def with_fault(now: Behaviour, due: Fault) -> Behaviour:
    """Return the behaviour with one more fault after the existing ones."""
    return replace(now, faults=(*now.faults, due))
