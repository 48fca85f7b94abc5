"""The API of leavers. Input: decisions. Output: waiting and recent departures."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Literal, Self

from msgspec import UNSET, UnsetType

from hrims.access.actor import Actor
from hrims.approvals import actions as approvals
from hrims.db import Connection
from hrims.leavers import actions, store
from hrims.leavers.model import DepartureView
from hrims.runs.store import FIRST_PEOPLE
from hrims.web.api.action_bodies import list_approval_fields
from hrims.web.api.enumerations import DepartureState, ListIdentifierType
from hrims.web.core import lookups
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.responses import (
    AcceptedOrDone,
    JobId,
    ResponseBody,
    SuccessBody,
    Timestamp,
    rows_of,
)
from hrims.web.core.serializers import time, timestamp


class Leaver(ResponseBody):
    """One of the people, masked as for the client."""

    zan_id: str
    name: str | None


class LeaversItem(ResponseBody):
    """A departure: the people that a list no longer has. It has the first of them."""

    id: int
    institution_id: int
    institution_name: str
    identifier_type: ListIdentifierType
    job_id: JobId
    requested_by: str
    state: DepartureState
    why: str | None
    count: int
    missing: int
    listed: int
    share_percent: float
    leavers: int
    transfers: int
    unlisted: int
    created_at: Timestamp
    decided_by: str | None
    decided_at: Timestamp | None
    undone_by: str | None
    undone_at: Timestamp | None
    more_people: int
    people: list[Leaver]

    @classmethod
    def of(cls, conn: Connection, departure: DepartureView, **more: Any) -> Self:
        """Return a departure, with ``more`` fields of a structure that has them."""
        people = rows_of(Leaver, mask().rows(store.list_people(conn, scope(), departure.id, FIRST_PEOPLE)))
        return cls(
            id=departure.id,
            institution_id=departure.institution_id,
            institution_name=departure.institution,
            identifier_type=departure.identifier_type,
            job_id=str(departure.run_id),
            requested_by=departure.asked_by,
            state=departure.state,
            why=departure.why,
            count=departure.people,
            missing=departure.missing,
            listed=departure.listed,
            share_percent=departure.share,
            leavers=departure.leavers,
            transfers=departure.transfers,
            unlisted=departure.unlisted,
            created_at=timestamp(departure.created_at),
            decided_by=departure.decided_by,
            decided_at=time(departure.decided_at),
            undone_by=departure.undone_by,
            undone_at=time(departure.undone_at),
            more_people=max(departure.people - len(people), 0),
            people=people,
            **more,
        )


class LeaversBody(LeaversItem, kw_only=True):
    """A departure after a decision. ``approvalId`` is sent if its undo waits for a second user."""

    success: Literal[True] = True
    approval_id: int | UnsetType = UNSET
    approvals_url: str | UnsetType = UNSET


class Leavers(SuccessBody):
    """The departures that wait, and those recently applied, refused or undone."""

    waiting: list[LeaversItem]
    recent: list[LeaversItem]


def index() -> Leavers:
    """Return the departures that wait for approval, and those recently applied, refused or undone."""
    with pool().connection() as conn:
        waiting, recent = store.list_waiting(conn, scope()), store.list_recent(conn, scope(), store.RECENT)
        return Leavers(
            [LeaversItem.of(conn, departure) for departure in waiting],
            [LeaversItem.of(conn, departure) for departure in recent],
        )


def approve(departure_id: str) -> LeaversBody:
    """Approve a departure: it applies to the employees that the list still misses."""
    return _decide(departure_id, actions.approve)


def refuse(departure_id: str) -> LeaversBody:
    """Refuse a departure. It changes no employee; the misses that led to it are reset."""
    return _decide(departure_id, actions.refuse)


def undo(departure_id: str) -> AcceptedOrDone[LeaversBody]:
    """Undo a departure, as far as its changes are still in place.

    Return 202 with ``approvalId`` if another user must approve that first.
    """
    with pool().connection() as conn:
        result = approvals.undo_leavers(conn, actor(), lookups.find_departure(conn, departure_id).id)
        departure = lookups.find_departure(conn, departure_id)
        body = LeaversBody.of(conn, departure, **list_approval_fields(result.approval_id))
        return body, HTTPStatus.ACCEPTED if result.approval_id else HTTPStatus.OK


def _decide(departure_id: str, decision: Callable[[Connection, Actor, int], Any]) -> LeaversBody:
    with pool().connection() as conn:
        decision(conn, actor(), lookups.find_departure(conn, departure_id).id)
        return LeaversBody.of(conn, lookups.find_departure(conn, departure_id))
