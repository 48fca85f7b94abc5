"""Every error that the rooms raise for one another, the tree on top.

    HrimsSyncError
    ├── ConfigError                a setting is wrong; nothing was started
    ├── DatabaseUnusable           the database cannot be used as it is
    ├── BackgroundTaskEnded        a worker lacks one of its tasks; its process ends
    ├── InputError                 the person or machine that asked must change something
    │   ├── InvalidInput      400
    │   ├── NotSignedIn       401
    │   ├── NotAllowed        403
    │   ├── NotFound          404
    │   ├── Conflict          409
    │   ├── TooLarge          413
    │   ├── NotAcceptable     422
    │   └── TooMany           429
    ├── RemoteError                HRIMS did not give what was asked
    │   ├── RemoteUnreachable      again   no connection, or it broke
    │   ├── RemoteTimeout          again   no answer in time
    │   ├── RemoteFailed           again   HTTP 5xx, or a body that says so
    │   ├── RemoteGarbled          again   an answer that is not the contract's
    │   │   ├── RemoteShort        again   a page with fewer records than HRIMS counts there
    │   │   ├── RemoteLong         again   a page with more records than asked for
    │   │   ├── RemoteRepeated     again   a page that HRIMS sent under another number before
    │   │   ├── RemoteOtherPage    again   a page that says that it is another
    │   │   └── RemoteContradictory again  a page with more records than its total
    │   ├── RemoteTooLarge         again   an answer over our size limit or HRIMS' own (413)
    │   ├── RemoteDown             again   HRIMS is not asked just now; no attempt is spent on waiting
    │   ├── RemoteBadRequest       never   HRIMS calls the request wrong
    │   ├── RemoteCredentials      never   HRIMS does not accept the credentials
    │   ├── RemoteUnknown          never   HRIMS does not know the vote code, TIN or person
    │   ├── RemoteEndless          never   more records than asked for, whatever the page size
    │   └── RemoteDrifted          never   nobody on a page has a ZanID any more: the field is gone
    ├── PreviewError               a preview cannot be applied; asking again does not help
    │   ├── PreviewGone            its people are no longer kept
    │   └── PreviewOutdated        the employees changed since somebody approved it
    └── Fenced                     this attempt no longer owns its run

The text of an error is written for a person: what happened, what was kept, what to do.
"""

from typing import ClassVar


class HrimsSyncError(Exception):
    """Something that a person should read. ``again`` says whether trying once more can help."""

    code: ClassVar[str] = "error"
    again: ClassVar[bool] = True


class ConfigError(HrimsSyncError):
    """A setting is wrong; nothing was started."""

    code = "config"


class DatabaseUnusable(HrimsSyncError):
    """The database cannot be used as it is: unreachable, of another version, not migrated."""

    code = "database"


class BackgroundTaskEnded(HrimsSyncError):
    """A background task of a worker has ended; the worker process ends, to be started again."""

    code = "background_task_ended"


class InputError(HrimsSyncError):
    """The one who asked must change something; nothing was changed.

    ``code`` is the machine's word for it, ``status`` the HTTP status it becomes.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "bad_request"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.slug = code or self.default_code


class InvalidInput(InputError):
    """A value is missing or wrong."""

    default_code = "invalid_input"


class NotSignedIn(InputError):
    """Nobody is signed in."""

    status = 401
    default_code = "not_signed_in"


class NotAllowed(InputError):
    """Whoever is signed in may not do this."""

    status = 403
    default_code = "not_allowed"


class NotFound(InputError):
    """There is no such thing."""

    status = 404
    default_code = "not_found"


class Conflict(InputError):
    """The thing is not in a state in which this can be done."""

    status = 409
    default_code = "conflict"


class TooLarge(InputError):
    """The request is larger than what is read."""

    status = 413
    default_code = "too_large"


class NotAcceptable(InputError):
    """The values are well formed but do not belong together."""

    status = 422
    default_code = "not_acceptable"


class TooMany(InputError):
    """Too many requests."""

    status = 429
    default_code = "too_many"


class RemoteError(HrimsSyncError):
    """HRIMS did not give what was asked."""

    code = "remote"

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds that HRIMS asked to wait, if it did."""


class RemoteUnreachable(RemoteError):
    """No connection to HRIMS, or it broke before the answer was whole."""

    code = "remote_unreachable"


class RemoteTimeout(RemoteError):
    """HRIMS did not answer in time."""

    code = "remote_timeout"


class RemoteFailed(RemoteError):
    """HRIMS answered that it failed: HTTP 5xx, or a body that says so."""

    code = "remote_failed"


class RemoteGarbled(RemoteError):
    """An answer that is not the contract's; a page had ``had`` records, and ``total`` beside them."""

    code = "remote_garbled"

    def __init__(self, message: str, *, had: int = 0, total: int | None = None) -> None:
        super().__init__(message)
        self.had, self.total = had, total


class RemoteShort(RemoteGarbled):
    """A page with fewer records than HRIMS itself counts there."""

    code = "remote_short"


class RemoteLong(RemoteGarbled):
    """A page with more records than asked for."""

    code = "remote_long"


class RemoteRepeated(RemoteGarbled):
    """A page with the people of another page of the same reading."""

    code = "remote_repeated"


class RemoteOtherPage(RemoteGarbled):
    """A page that says that it is another one than asked for."""


class RemoteContradictory(RemoteGarbled):
    """A page with more records than the total that it gives."""


class RemoteTooLarge(RemoteError):
    """The answer is larger than our limit, or than what HRIMS sends (413); it was not read. Ask for less."""

    code = "remote_too_large"


class RemoteDown(RemoteError):
    """HRIMS answers nobody, or refuses the credentials: it is not asked just now."""

    code = "remote_down"


class RemoteBadRequest(RemoteError):
    """HRIMS calls the request wrong."""

    again = False
    code = "remote_bad_request"


class RemoteCredentials(RemoteError):
    """HRIMS does not accept the credentials."""

    again = False
    code = "remote_credentials"


class RemoteUnknown(RemoteError):
    """HRIMS does not know the vote code, TIN or person."""

    again = False
    code = "remote_unknown"


class RemoteDrifted(RemoteError):
    """Every record of a page lacks the field that says who it is: HRIMS' answers have changed."""

    again = False
    code = "remote_drifted"


class RemoteEndless(RemoteError):
    """HRIMS gives more records than asked for, or fewer, whatever the page size."""

    again = False
    code = "remote_endless"


class PreviewError(HrimsSyncError):
    """A preview cannot be applied as it is."""

    again = False
    words: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.words)


class PreviewGone(PreviewError):
    """Its people are no longer kept."""

    code = "preview_gone"
    words = "The preview was thrown away or is too old. Make a new one."


class PreviewOutdated(PreviewError):
    """The employees changed between the approval and the first page that was to be applied."""

    code = "preview_outdated"
    words = (
        "The employees have changed since this preview was approved, so nothing was applied. "
        "Look at the preview again; it shows the current difference."
    )


class Fenced(HrimsSyncError):
    """This attempt no longer owns its run: it was cancelled, ended or taken over."""

    code = "fenced"
