"""The query strings of pages and API. Each parameter has its type and its bounds.

A view states its query string in its parameter ``query``. Parameters of the API are in camel case.
"""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, field

from hrims.batches.progress import STATES
from hrims.jobs.enqueue import IdentifierType
from hrims.numbers import LARGEST
from hrims.previews.difference import KINDS
from hrims.queries import Hint, ListQuery, Page, Query, SearchTerms, one_of, rows_up_to
from hrims.rejects.listing import PER_PAGE
from hrims.rejects.messages import CODES
from hrims.runs.compare.store import Counts
from hrims.runs.store import ENDED
from hrims.web.core.bodies import InstitutionId
from hrims.web.core.guard import HOME, MAX_NEXT_LENGTH, local_path

RunId = Annotated[
    int,
    Meta(
        ge=1,
        le=LARGEST,
        extra={"message": "Give the numbers of two runs, as a and b.", "code": "bad_job_id"},
    ),
]

NextPath = Annotated[str, Meta(max_length=MAX_NEXT_LENGTH, extra={"prepare": local_path})]
"""The path to open after the sign-in. One that leads elsewhere becomes the home page."""

RejectCode = Annotated[str, one_of(CODES)]

RejectState = Literal["open", "closed", "all"]

RecordNumber = Annotated[int, Meta(ge=1, le=LARGEST)]

Day = Annotated[date, Meta(extra={"expected": "a date like 2026-11-30"})]

RejectsPerPage = Annotated[int, rows_up_to(500)]


class SignInQuery(Query):
    """Where the sign-in leads, and whether the user has just chosen a password."""

    next: NextPath = HOME
    ready: Literal["yes"] | None = None


class NextQuery(Query):
    """The page to open after a sign-in."""

    next: NextPath = HOME


class ConfirmQuery(Query):
    """The page to return to, and whether a form was sent that must be sent again."""

    next: NextPath = HOME
    form: Literal["yes"] | None = None


class AccountQuery(Query):
    """What the page tells that it did."""

    done: Literal["password", "session", "sessions", "two-step-off"] | None = None


class SavedQuery(Query):
    """Whether the page tells that it saved a form."""

    saved: Literal["yes"] | None = None


class InstitutionQuery(Query):
    """The institution that a page shows."""

    institution: Hint = 0


class FetchQuery(InstitutionQuery):
    """The institution to fetch. ``already`` tells that its run had been requested before."""

    already: Hint = 0


class PersonRunQuery(Query):
    """The run that fetches one person."""

    run: Hint | None = None


class RunsQuery(ListQuery):
    """The runs of an institution, by how they ended."""

    institution: Hint | None = None
    kind: Annotated[str, one_of(ENDED)] = "all"


class AuditQuery(ListQuery):
    """The records of the audit trail, by who did what to what, and when."""

    user: SearchTerms | None = None
    action: SearchTerms | None = None
    object: SearchTerms | None = None
    institution: RecordNumber | None = None
    run: RecordNumber | None = None
    request: SearchTerms | None = None
    since: Day | None = None
    until: Day | None = None


class BatchQuery(ListQuery):
    """The institutions of a batch, by the state of their runs."""

    kind: Annotated[str, one_of(("all", *STATES))] = "all"

    @property
    def state(self) -> str | None:
        """Return the state; None for all of them."""
        return None if self.kind == "all" else self.kind


class PreviewQuery(ListQuery):
    """The rows of a preview. The API returns no rows without a kind."""

    kind: Annotated[str, one_of(KINDS)] | None = None


class CompareQuery(ListQuery, kw_only=True):
    """Two runs and the rows of their difference. The API returns no rows without a kind."""

    a: RunId
    b: RunId
    kind: Annotated[str, one_of(Counts._fields)] | None = None


class CompareChoiceQuery(Query):
    """The choice of two runs, as far as it was made."""

    institution: Hint = 0
    a: Hint | None = None
    b: Hint | None = None


class WorkplacesQuery(ListQuery):
    """The workplaces that wait for an institution, by the words of their name."""

    name: SearchTerms = ""
    page_size: Annotated[int, rows_up_to(200)] = 50


class FindQuery(Query):
    """The terms by which an institution is searched."""

    find: SearchTerms = ""


class WorkplacesPageQuery(ListQuery):
    """The pages of waiting and of mapped names; the search for the institution of one ``workplace``.

    ``done`` is the workplace that was just mapped.
    """

    name: SearchTerms = ""
    mapped: Page = 1
    workplace: Hint = 0
    find: SearchTerms = ""
    done: Hint = 0


class RejectsQuery(ListQuery):
    """The rejects of an institution, by list, code and state."""

    institution_id: InstitutionId | None = None
    identifier_type: IdentifierType | None = None
    code: RejectCode | None = None
    state: RejectState = "open"
    page_size: RejectsPerPage = PER_PAGE


class RejectsPageQuery(ListQuery):
    """The same filter of rejects, by its names on screen."""

    institution_id: InstitutionId | None = field(name="institution", default=None)
    identifier_type: IdentifierType | None = field(name="type", default=None)
    code: RejectCode | None = None
    state: RejectState = "open"
    page_size: RejectsPerPage = field(name="per_page", default=PER_PAGE)
