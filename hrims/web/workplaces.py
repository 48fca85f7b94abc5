"""The screen on which a person says what the names mean at which people work: page, fragments, buttons."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Self

from flask import Blueprint, redirect, render_template, request, url_for

from hrims.db import Connection
from hrims.errors import InputError, InvalidInput, NotFound
from hrims.numbers import LARGEST, whole
from hrims.web.guard import actor
from hrims.web.parts import pool
from hrims.workplaces import decide, store

blueprint = Blueprint("workplaces", __name__, url_prefix="/dashboard/admin/workplaces")

WAITING_A_PAGE = 10
"""Names that wait, each with a form of its own."""

MAPPED_A_PAGE = 20
"""Names that were mapped."""

SUGGESTIONS = 3
"""Institutions that are suggested for a name."""

FOUND = 20
"""Institutions that a search shows."""


@dataclass(frozen=True)
class Filter:
    """What the address says about what to show: names with these words, which page of those that wait and
    of those that were mapped, and for which workplace an institution is searched by which words.
    """

    name: str = ""
    page: int = 1
    mapped: int = 1
    workplace: int = 0
    find: str = ""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> Self:
        """From an address, whatever it says."""
        numbers = {key: whole(given.get(key, "")) for key in ("page", "mapped", "workplace")}
        texts = {key: given.get(key, "").replace("\x00", "").strip() for key in ("name", "find")}
        return cls(
            **texts,
            page=max(1, numbers["page"]),
            mapped=max(1, numbers["mapped"]),
            workplace=numbers["workplace"],
        )

    def params(self, **changes: Any) -> dict[str, Any]:
        """As an address says it, after changes; what is as usual is left out."""
        there = dataclasses.asdict(dataclasses.replace(self, **changes))
        return {key: value for key, value in there.items() if value != getattr(Filter, key)}

    def link(self, **changes: Any) -> str:
        """The address of the page after these changes; a search for an institution ends with them."""
        return url_for("workplaces.index", **self.params(**{"workplace": 0, "find": "", **changes}))


@blueprint.get("")
def index() -> str:
    """The page: what waits first, then what was mapped."""
    return render_template("workplaces/index.html", **_context(Filter.of(request.args)))


@blueprint.get("/<workplace_id>/choices")
def choices(workplace_id: str) -> str:
    """The institutions that a workplace may be, searched by ``?find=``, else those it is like."""
    filter_ = dataclasses.replace(Filter.of(request.args), workplace=id_of(workplace_id))
    with pool().connection() as conn:
        one = store.workplace(conn, filter_.workplace)
        if not one:
            raise NotFound("There is no workplace with this id.", "unknown_workplace")
        found = _choices(conn, [one], filter_)
    return render_template("workplaces/_choices.html", one=one, filter=filter_, choices=found)


@blueprint.post("/<workplace_id>/map")
def map_to(workplace_id: str) -> Any:
    """A button: the workplace is the chosen institution from now on."""
    chosen = whole(request.form.get("institution", ""))
    if not chosen:
        return _refused(InvalidInput("Choose an institution first. Nothing was changed."), workplace_id)
    return _act(workplace_id, decide.map_to, institution_id=chosen)


@blueprint.post("/<workplace_id>/register")
def register(workplace_id: str) -> Any:
    """A button: the workplace is a new institution."""
    typed = {key: request.form.get(key, "") for key in ("name", "vote_code", "tin")}
    return _act(workplace_id, decide.register_as, **typed)


@blueprint.post("/<workplace_id>/unmap")
def unmap(workplace_id: str) -> Any:
    """A button: what was said about the workplace is taken back, unless it has changed since."""
    shown = whole(request.form.get("institution", ""))
    return _act(workplace_id, decide.take_back, institution_id=shown or None)


def _act(workplace_id: str, deed: Any, **given: Any) -> Any:
    try:
        with pool().connection() as conn:
            done = deed(conn, actor(), id_of(workplace_id), **given)
    except InputError as refused:
        return _refused(refused, workplace_id)
    back = Filter.of(request.args).params(workplace=0, find="")
    return redirect(url_for(".index", done=done.workplace.id, **back), code=HTTPStatus.SEE_OTHER)


def _refused(refused: InputError, workplace_id: str) -> Any:
    filter_ = dataclasses.replace(Filter.of(request.args), workplace=whole(workplace_id))
    return render_template("workplaces/index.html", **_context(filter_, refused)), refused.status


def _context(filter_: Filter, refused: InputError | None = None) -> dict[str, Any]:
    """What the page shows, and what was typed into a form that was refused."""
    with pool().connection() as conn:
        count, mapped = store.count_waiting(conn, filter_.name), store.count_aliases(conn, filter_.name)
        pages, mapped_pages = _pages(count.workplaces, WAITING_A_PAGE), _pages(mapped, MAPPED_A_PAGE)
        filter_ = dataclasses.replace(
            filter_, page=min(filter_.page, pages), mapped=min(filter_.mapped, mapped_pages)
        )
        waiting = store.waiting(
            conn, filter_.name, limit=WAITING_A_PAGE, offset=(filter_.page - 1) * WAITING_A_PAGE
        )
        return {
            "filter": filter_,
            "refused": refused,
            "typed": request.form if refused else {},
            "done": store.workplace(conn, whole(request.args.get("done", ""))),
            "count": count,
            "nowhere": store.nowhere(conn),
            "waiting": waiting,
            "listed": store.listed_by(conn, [one.id for one in waiting]),
            "choices": _choices(conn, waiting, filter_),
            "pages": pages,
            "aliases": store.aliases(
                conn, filter_.name, limit=MAPPED_A_PAGE, offset=(filter_.mapped - 1) * MAPPED_A_PAGE
            ),
            "mapped": mapped,
            "mapped_pages": mapped_pages,
        }


def _choices(conn: Connection, workplaces: list[store.Workplace], filter_: Filter) -> dict[int, Any]:
    """The institutions to choose from, by workplace: (how many there are, those that are shown)."""
    like = store.suggestions(conn, [one.id for one in workplaces], most=SUGGESTIONS)
    found = {id_: (len(some), some) for id_, some in like.items()}
    for one in workplaces:
        if filter_.find and one.id == filter_.workplace:
            some, all_ = store.institutions_like(conn, filter_.find, name=one.name, most=FOUND)
            found[one.id] = (all_, some)
    return found


def id_of(given: object) -> int:
    """The id that an address or a body gives. Raises InvalidInput for what is none."""
    number = given if isinstance(given, int) and not isinstance(given, bool) else whole(given)
    if not 0 < number <= LARGEST:
        raise InvalidInput("An id is a whole number. Nothing was changed.", "bad_id")
    return number


def _pages(rows: int, a_page: int) -> int:
    return max(1, -(-rows // a_page))
