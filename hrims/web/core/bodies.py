"""The bodies of requests, for API and pages. Each field has its type and its bounds.

Fields of the API are in camel case; forms have the same fields in snake case, and ``forms.py`` has those that
differ. The descriptions of the structures are those of the API.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta, field
from msgspec.structs import asdict

from hrims.batches.actions import Institutions, split_institutions
from hrims.config.values import POOL
from hrims.jobs.attempts.retry_policy import AttemptPause, Attempts, DeadlineMinutes, RetryPolicy
from hrims.jobs.enqueue import PAGE_SIZE, IdentifierType, PageSize
from hrims.jobs.enqueue_person import BAD_KEY
from hrims.jobs.rate_limit.actions import PauseReason, StartsPerMinute
from hrims.jobs.rate_limit.priorities import NORMAL, Priority
from hrims.people.actions import Reason
from hrims.people.searches import MAX_LENGTH
from hrims.validation import Request, build_error, id_bounds, to_printable

InstitutionId = Annotated[int, id_bounds("the id of an institution on the register", "bad_institution_id")]

Text = Annotated[str, Meta(extra={"expected": "text, leading zeros kept", "code": "bad_text"})]

Identifier = Annotated[
    str | None,
    Meta(extra={"prepare": str.strip, "expected": "text, leading zeros kept", "code": "missing_identifier"}),
]

PoolName = Annotated[
    str,
    Meta(
        pattern=f"^({POOL.pattern})?$",
        extra={"prepare": str.strip, "expected": "1 to 30 small letters, digits and hyphens, like health"},
    ),
]
"""The name of a pool. An empty one means none."""


def required(expected: str, **extra: object) -> Meta:
    """Return the bounds of a text that must not be empty, and what it must be."""
    return Meta(min_length=1, extra={"prepare": str.strip, "expected": expected, **extra})


class RetryFields(Request):
    """The retry policy. A null field falls back to the institution, then to the settings."""

    attempts: Attempts | None = None
    attempt_pause: AttemptPause | None = None
    deadline_minutes: DeadlineMinutes | None = None

    @property
    def retry_policy(self) -> RetryPolicy:
        """Return the policy that is saved with a run or an institution."""
        return RetryPolicy(self.attempts, self.attempt_pause, self.deadline_minutes)


class RunRequest(RetryFields, kw_only=True, forbid_unknown_fields=False):
    """A run for one institution. Unknown fields are ignored: programs send this as they always did."""

    outcome: ClassVar[str] = "Nothing was queued."

    identifier_type: IdentifierType
    page_size: PageSize = PAGE_SIZE
    vote_number: Identifier = None
    tin_number: Identifier = None
    institution_id: InstitutionId
    priority: Priority = NORMAL
    preview: bool = False

    @property
    def identifier(self) -> str:
        """Return the vote code or TIN. Raises InvalidInput if it was not sent."""
        is_vote = self.identifier_type == "votecode"
        number = self.vote_number if is_vote else self.tin_number
        if not number:
            raise build_error("voteNumber" if is_vote else "tinNumber", Identifier, self.outcome)
        return number

    @classmethod
    def select_fields(cls, given: Mapping[str, object]) -> Mapping[str, object]:
        """Return the fields without the number of the other type, which is ignored like unknown fields."""
        other = "tinNumber" if given.get("identifierType") == "votecode" else "voteNumber"
        return {name: value for name, value in given.items() if name != other}


class PersonRequest(Request):
    """A run for one person."""

    outcome: ClassVar[str] = "Nothing was queued."

    key: Annotated[str, Meta(min_length=1, extra={"message": BAD_KEY})]


class RepeatRequest(Request):
    """A retry from the checkpoint, or with ``afresh`` a new run without one."""

    outcome: ClassVar[str] = "Nothing was queued."
    is_optional: ClassVar[bool] = True

    afresh: bool = False


class PriorityRequest(Request):
    """The new priority of a waiting run."""

    priority: Priority


class BatchRequest(Request):
    """Runs for many institutions."""

    outcome: ClassVar[str] = "Nothing was queued."

    institutions: Institutions
    identifier_type: IdentifierType | None = None
    page_size: PageSize = PAGE_SIZE
    priority: Priority = NORMAL

    @property
    def parameters(self) -> dict[str, Any]:
        """Return the parameters of ``enqueue_batch``."""
        scope, institutions = split_institutions(self.institutions)
        return {**asdict(self), "scope": scope, "institutions": institutions}


class PauseRequest(Request):
    """A pause of the queue, and why."""

    outcome: ClassVar[str] = "Nothing was paused."

    why: PauseReason


class LimitRequest(Request):
    """How many runs start per minute; null restores the setting. An omitted field is refused."""

    starts_per_minute: StartsPerMinute | None


class RunPolicyRequest(RetryFields):
    """The run policy of an institution; omitted fields become null."""

    pool: PoolName | None = None


class RejectsRequest(Request):
    """The listing whose rejects are fetched again."""

    outcome: ClassVar[str] = "Nothing was queued."

    identifier_type: IdentifierType


class ApplyRequest(Request):
    """The approval of a preview."""

    outcome: ClassVar[str] = "Nothing was applied."

    version: Annotated[str, required("the version of the difference that you read")]


class SearchRequest(Request):
    """A search for people."""

    outcome: ClassVar[str] = "Nothing was searched."

    words: Annotated[str, Meta(min_length=1, max_length=MAX_LENGTH, extra={"prepare": str.strip})]


class RevealRequest(Request):
    """The reason for which the masked fields of one person are shown."""

    outcome: ClassVar[str] = "Nothing was shown."

    reason: Reason


class EndpointRequest(Request):
    """A webhook endpoint."""

    outcome: ClassVar[str] = "Nothing was added."

    url: Annotated[str, required("a web address like https://receiver.example/hook")]
    description: Annotated[
        str,
        Meta(
            max_length=200, extra={"prepare": to_printable, "expected": "one line of 200 characters at most"}
        ),
    ] = ""


class MapRequest(Request):
    """The institution to which a workplace is mapped."""

    institution_id: Annotated[int, id_bounds("the id of an institution on the register", "bad_id")]


class RegisterRequest(Request):
    """A workplace that becomes an institution, by its own name unless another is given."""

    is_optional: ClassVar[bool] = True

    name: Text | None = None
    vote_code: Text | None = field(name="voteNumber", default=None)
    tin: Text | None = field(name="tinNumber", default=None)
