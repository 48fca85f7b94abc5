"""The control address: what tests and people ask of ``/_control`` in, the simulator changed and
JSON out. ``ROUTES`` is the list of all that it takes."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hrims.simulator import people
from hrims.simulator.behaviour import Refused
from hrims.simulator.desk import Desk

Route = Callable[[Desk, dict[str, Any]], Any]


def show(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """Behaviour and counters."""
    return {"behaviour": asdict(desk.behaviour), "counters": desk.counters.shown()}


def change(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """Merges a JSON object into the behaviour; see Behaviour for what there is."""
    desk.change(given)
    return {"behaviour": asdict(desk.behaviour)}


def fault(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """One more fault, ``{kind, page?, size?, vote?, tin?, operation?, times?, rate?, …}``."""
    desk.add_fault(given)
    return {"behaviour": asdict(desk.behaviour)}


def reset(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """Behaviour and counters as at the start, nothing held; people stay as they are."""
    desk.restart()
    return show(desk, given)


def hold(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """Holds requests, ``{page?, size?, vote?, tin?, operation?, after?}``; tells the number."""
    return {"hold": desk.gate.hold(given)}


def release(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """Lets go ``{hold}``, or everything."""
    desk.gate.release(given.get("hold"))
    return {}


def wait(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """Until figures (``requests``, ``held`` …) are reached, for ``timeout`` seconds at most."""
    wanted = {name: int(value) for name, value in given.items() if name != "timeout"}
    if unknown := set(wanted) - set(desk.counters.figures()):
        raise Refused(f"no such figure: {', '.join(sorted(unknown))}")
    reached = desk.counters.wait(wanted, float(given.get("timeout", 10)))
    return {"reached": reached, **desk.counters.figures()}


def list_people(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """Who is listed now by ``vote`` or ``tin``, in order, with the values to expect."""
    return {"people": people.shown(desk.country, given)}


def list_institutions(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """The register, with how many people each institution lists at first."""
    return {"institutions": [asdict(one) for one in desk.country.register]}


def _people(act: Callable[..., list[str]]) -> Route:
    return lambda desk, given: {"zanIds": act(desk.country, given)}


ROUTES: dict[tuple[str, str], Route] = {
    ("GET", "/_control"): show,
    ("PUT", "/_control"): change,
    ("POST", "/_control/faults"): fault,
    ("POST", "/_control/reset"): reset,
    ("POST", "/_control/hold"): hold,
    ("POST", "/_control/release"): release,
    ("GET", "/_control/wait"): wait,
    ("GET", "/_control/institutions"): list_institutions,
    ("GET", "/_control/people"): list_people,
    ("POST", "/_control/people/add"): _people(people.add),
    ("POST", "/_control/people/remove"): _people(people.remove),
    ("POST", "/_control/people/change"): _people(people.change),
    ("POST", "/_control/people/move"): _people(people.move),
    ("POST", "/_control/people/make"): _people(people.make),
}


def answer(desk: Desk, method: str, path: str, given: Any) -> tuple[int, Any]:
    """HTTP status and JSON. What does not do is told in words and changes nothing."""
    route = ROUTES.get((method, path))
    if route is None:
        return 404, {"error": f"no such address; there are: {_addresses()}"}
    try:
        return 200, route(desk, given)
    except Refused as reason:
        return 400, {"error": str(reason)}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as reason:
        return 400, {"error": f"does not do: {type(reason).__name__} {reason}"}


def _addresses() -> str:
    return ", ".join(f"{method} {path}" for method, path in ROUTES)
