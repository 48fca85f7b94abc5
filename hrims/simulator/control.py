"""The control address ``/_control`` of the simulator.

Input: requests of tests and users. Output: a changed simulator and JSON. ``ROUTES`` lists all addresses.
"""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from hrims.simulator import people
from hrims.simulator.behaviour import InvalidControl
from hrims.simulator.dispatcher import Dispatcher

Route = Callable[[Dispatcher, dict[str, Any]], Any]


def show(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Return behaviour and counters."""
    return {"behaviour": asdict(dispatcher.behaviour), "counters": dispatcher.counters.as_json()}


def change(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Merge a JSON object into the behaviour; Behaviour documents the fields."""
    dispatcher.change(given)
    return {"behaviour": asdict(dispatcher.behaviour)}


def fault(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Add a fault, ``{kind, page?, size?, vote?, tin?, operation?, times?, rate?, …}``."""
    dispatcher.add_fault(given)
    return {"behaviour": asdict(dispatcher.behaviour)}


def reset(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Reset behaviour and counters to the start and release all holds; people stay as they are."""
    dispatcher.restart()
    return show(dispatcher, given)


def hold(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Hold requests, ``{page?, size?, vote?, tin?, operation?, after?}``, and return the hold's number."""
    return {"hold": dispatcher.gate.hold(given)}


def release(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Release ``{hold}``, or all holds."""
    dispatcher.gate.release(given.get("hold"))
    return {}


def wait(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Wait until figures (``requests``, ``held`` …) are reached, for at most ``timeout`` seconds."""
    wanted = {name: int(value) for name, value in given.items() if name != "timeout"}
    if unknown := set(wanted) - set(dispatcher.counters.figures()):
        raise InvalidControl(f"no such figure: {', '.join(sorted(unknown))}")
    reached = dispatcher.counters.wait(wanted, float(given.get("timeout", 10)))
    return {"reached": reached, **dispatcher.counters.figures()}


def list_people(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Return the people that ``vote`` or ``tin`` lists now.

    They are in order and have the values that a client should save.
    """
    return {"people": people.list_expected(dispatcher.population, given)}


def list_institutions(dispatcher: Dispatcher, given: dict[str, Any]) -> dict[str, Any]:
    """Return the register, with the initial number of people that each institution lists."""
    return {"institutions": [asdict(institution) for institution in dispatcher.population.register]}


def _people(act: Callable[..., list[str]]) -> Route:
    return lambda dispatcher, given: {"zanIds": act(dispatcher.population, given)}


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
    ("POST", "/_control/people/make"): _people(people.create_all),
}


def answer(dispatcher: Dispatcher, method: str, path: str, given: Any) -> tuple[int, Any]:
    """Return HTTP status and JSON.

    An invalid request changes nothing and gets an error message.
    """
    route = ROUTES.get((method, path))
    if route is None:
        return 404, {"error": f"no such address; there are: {_addresses()}"}
    try:
        return 200, route(dispatcher, given)
    except InvalidControl as reason:
        return 400, {"error": str(reason)}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as reason:
        return 400, {"error": f"not valid: {type(reason).__name__} {reason}"}


def _addresses() -> str:
    return ", ".join(f"{method} {path}" for method, path in ROUTES)
