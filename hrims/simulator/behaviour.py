"""How the simulator behaves now: a JSON object merged in, a Behaviour out, or Refused in words."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from hrims.simulator.asking import Ask


class Refused(Exception):
    """The control address was given something that it does not take."""


@dataclass(frozen=True)
class Match:
    """Which requests are meant; what is left out matches any. ``key`` is a vote code or TIN."""

    operation: str | None = None
    key: str | None = None
    page: int | None = None
    size: int | None = None

    def fits(self, ask: Ask) -> bool:
        """Whether this request is meant."""
        mine = (self.operation, self.key, self.page, self.size)
        asked = (ask.operation, ask.key, ask.page, ask.size)
        return all(want is None or want == got for want, got in zip(mine, asked, strict=True))


DETAILS = {
    *("seconds", "retry_after", "bytes", "pause_ms", "missing", "number"),
    *("records", "tiny", "index", "path", "value", "total"),
}
"""What the kinds of failures take; each says which in its own docstring."""


@dataclass
class Fault:
    """A failure that is due: of ``kind``, for requests that ``match``, ``times`` more (None: for
    ever), each time with chance ``rate``. ``details`` go to the kind."""

    kind: str
    match: Match
    times: int | None = None
    rate: float = 1.0
    details: dict[str, Any] = field(default_factory=dict)

    def due(self, ask: Ask, luck: float) -> bool:
        """Whether it strikes this request; counts it as one of the ``times`` if so."""
        if self.times == 0 or luck >= self.rate or not self.match.fits(ask):
            return False
        self.times = None if self.times is None else self.times - 1
        return True


@dataclass(frozen=True)
class Behaviour:
    """Everything that ``PUT /_control`` changes. Milliseconds, seconds, and shares from 0 to 1.

    ``failure_kinds`` weighs the kinds that ``failure_rate`` draws from; ``faults`` are aimed at
    exact requests and come first; ``poison`` lists people, ``{"vote": "037", "index": 7}`` or
    ``{"zanId": "…"}``, that make every page holding them fail as ``poison_kind`` says; ``moves``
    moves ``count`` people of a listing after ``every`` pages of it; ``total_drift`` lets
    ``overallDataSize`` be off by up to so many; ``credentials`` is ok, wrong (401) or expired
    (403); ``down`` closes every connection unanswered. Fields are ``part.field`` or a top-level
    name: ``renamed_fields`` gives new names, ``missing_fields`` are left out, ``new_fields`` are
    added with a value, and ``emptied_fields`` are null for a share of the people; these are about
    pages alone.
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


def merged(now: Behaviour, changes: Any, kinds: set[str]) -> Behaviour:
    """The behaviour with these changes. Raises Refused and changes nothing."""
    if not isinstance(changes, dict):
        raise Refused("give a JSON object")
    known = {one.name for one in fields(Behaviour)}
    if unknown := set(changes) - known:
        raise Refused(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return replace(now, **{name: _checked(name, value, kinds) for name, value in changes.items()})


def _checked(name: str, value: Any, kinds: set[str]) -> Any:
    if name == "faults":
        return tuple(fault(one, kinds) for one in value)
    if name == "poison":
        return tuple(value)
    if name == "missing_fields" and isinstance(value, list | tuple):
        value = tuple(value)
    if name == "failure_kinds":
        _check_kinds(value, kinds)
    elif name == "poison_kind":
        _check_kinds([value], kinds)
    elif not _CHECKS[name][0](value):
        raise Refused(f"{name} is {_CHECKS[name][1]}")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_whole(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_moves(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) - {"every", "count"}:
        return False
    return all(_is_whole(one) and one for one in value.values())


def _is_named(of: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, dict)
        and all(isinstance(name, str) and name and of(one) for name, one in value.items())
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
        raise Refused(f"no such failure: {', '.join(sorted(unknown))}; known: {known}")


def fault(given: Any, kinds: set[str]) -> Fault:
    """``{kind, operation?, vote?|tin?|key?, page?, size?, times?, rate?, …}`` as a Fault."""
    rest = dict(given)
    kind = rest.pop("kind", "body500")
    _check_kinds([kind], kinds)
    meant, times, rate = match(rest), rest.pop("times", None), rest.pop("rate", 1.0)
    if unknown := set(rest) - DETAILS:
        raise Refused(f"unknown in a fault: {', '.join(sorted(unknown))}")
    return Fault(kind, meant, times, rate, rest)


def match(rest: dict[str, Any]) -> Match:
    """Takes what says which requests are meant out of ``rest``."""
    keys = [rest.pop(name, None) for name in ("vote", "tin", "key")]
    key = next((one for one in keys if one is not None), None)
    return Match(rest.pop("operation", None), key, rest.pop("page", None), rest.pop("size", None))


def with_fault(now: Behaviour, due: Fault) -> Behaviour:
    """The behaviour with one more fault behind those that stand."""
    return replace(now, faults=(*now.faults, due))
