"""The page that maps workplace names to institutions: page, fragments, buttons."""

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import render_template, request
from msgspec.structs import asdict

from hrims.access.actor import Actor
from hrims.db import Connection
from hrims.errors import NotFound
from hrims.institutions.workplaces import actions, store
from hrims.numbers import whole
from hrims.web.core import requests
from hrims.web.core.actions import perform, see_other
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import RegisterRequest
from hrims.web.core.forms import InstitutionForm, MappedForm
from hrims.web.core.guard import actor, scope
from hrims.web.core.paging import Filter
from hrims.web.core.queries import FindQuery, WorkplacesPageQuery

Decide = Callable[[Connection, Actor, int], actions.Decision]

WAITING_ROWS = 10
"""Waiting names on one page, each with its own form."""

MAPPED_ROWS = 20
"""Mapped names on one page."""

MAX_FOUND = 20
"""Institutions that a search shows."""


class Search(NamedTuple):
    """The search for the institution of one workplace. ``find`` are its terms."""

    workplace: int
    find: str


def _build_filters(query: WorkplacesPageQuery) -> tuple[Filter, Filter]:
    """Return the filters of waiting and of mapped names. Each keeps the page of the other in its links."""
    name, page, mapped = query.name, query.page, query.mapped
    return (
        Filter("workplaces.index", WAITING_ROWS, page, params={"name": name, "mapped": _later(mapped)}),
        Filter(
            "workplaces.index",
            MAPPED_ROWS,
            mapped,
            params={"name": name, "page": _later(page)},
            page_param="mapped",
        ),
    )


def _later(page: int) -> int | None:
    return page if page > 1 else None


def index(query: WorkplacesPageQuery) -> str:
    """Show the page: waiting names first, then mapped ones."""
    return render_template("workplaces/index.html", **_context(query, Search(query.workplace, query.find)))


def show_choices(workplace_id: str, query: FindQuery) -> str:
    """Show the institutions that match ``?find=``, or those with similar names if it is empty."""
    search = Search(requests.id_of(workplace_id), query.find)
    with pool().connection() as conn:
        workplace = store.find_workplace(conn, scope(), search.workplace)
        if not workplace:
            raise NotFound("There is no workplace with this id.", "unknown_workplace")
        choices = _find_choices(conn, [workplace], search)
    return render_template("workplaces/_choices.html", workplace=workplace, search=search, choices=choices)


def map_institution(workplace_id: str, query: WorkplacesPageQuery) -> Any:
    """Handle a button: map the workplace to the chosen institution."""

    def map_chosen(conn: Connection, actor: Actor, id_: int) -> actions.Decision:
        return actions.map_workplace(conn, actor, id_, requests.read_form(InstitutionForm).institution)

    return _perform(workplace_id, query, map_chosen)


def register(workplace_id: str, query: WorkplacesPageQuery) -> Any:
    """Handle a button: register the workplace as a new institution."""

    def register_named(conn: Connection, actor: Actor, id_: int) -> actions.Decision:
        return actions.register_workplace(conn, actor, id_, **asdict(requests.read_form(RegisterRequest)))

    return _perform(workplace_id, query, register_named)


def unmap(workplace_id: str, query: WorkplacesPageQuery) -> Any:
    """Handle a button: remove the mapping of the workplace, unless it changed since the page was shown."""

    def unmap_shown(conn: Connection, actor: Actor, id_: int) -> actions.Decision:
        return actions.unmap(conn, actor, id_, institution_id=requests.read_form(MappedForm).institution)

    return _perform(workplace_id, query, unmap_shown)


def _perform(workplace_id: str, query: WorkplacesPageQuery, action: Decide) -> Any:
    """Perform an action on a workplace, and show the page of the list from which it was sent."""
    waiting, _ = _build_filters(query)
    search = Search(whole(workplace_id), query.find)
    return perform(
        lambda conn: action(conn, actor(), requests.id_of(workplace_id)),
        then=lambda decision: see_other(".index", done=decision.workplace.id, **waiting.query()),
        page=lambda message: render_template("workplaces/index.html", **_context(query, search, message)),
    )


def _context(query: WorkplacesPageQuery, search: Search, refused: str | None = None) -> dict[str, Any]:
    """Return what the page shows, and the fields of a refused form."""
    waiting, mapped = _build_filters(query)
    name = query.name
    with pool().connection() as conn:
        count = store.count_waiting(conn, scope(), name)
        waiting.count(count.workplaces)
        mapped.count(store.count_aliases(conn, scope(), name))
        workplaces = store.list_waiting(conn, scope(), name, limit=waiting.size, offset=waiting.offset)
        return {
            "filter": waiting,
            "mapped": mapped,
            "search": search,
            "refused": refused,
            "typed": request.form if refused else {},
            "done": store.find_workplace(conn, scope(), query.done),
            "count": count,
            "without_workplace": store.count_without_workplace(conn, scope()),
            "workplaces": workplaces,
            "listings": store.find_listings(conn, scope(), [workplace.id for workplace in workplaces]),
            "choices": _find_choices(conn, workplaces, search),
            "aliases": store.list_aliases(conn, scope(), name, limit=mapped.size, offset=mapped.offset),
        }


def _find_choices(conn: Connection, workplaces: list[store.Workplace], search: Search) -> dict[int, Any]:
    """Return the institutions to choose from, by workplace: (how many there are, those that are shown)."""
    ids = [workplace.id for workplace in workplaces]
    similar = store.find_suggestions(conn, scope(), ids, limit=store.SUGGESTIONS)
    choices = {id_: (len(shown), shown) for id_, shown in similar.items()}
    for workplace in workplaces:
        if search.find and workplace.id == search.workplace:
            shown, total = store.find_similar_institutions(
                conn, scope(), search.find, name=workplace.name, limit=MAX_FOUND
            )
            choices[workplace.id] = (total, shown)
    return choices
