"""Every error that packages raise for each other. The tree shows the classes.

    HrimsSyncError
    ├── ConfigError                a setting is wrong; nothing was started
    ├── DatabaseUnusable           the database cannot be used as it is
    ├── BackgroundTaskEnded        a background task of a worker has ended; the worker process ends
    ├── InputError                 the user or machine must change the request
    │   ├── InvalidInput      400
    │   ├── NotSignedIn       401
    │   ├── NotAllowed        403
    │   ├── NotFound          404
    │   ├── Conflict          409
    │   ├── TooLarge          413
    │   ├── Unprocessable     422
    │   └── TooMany           429
    ├── RemoteError                HRIMS did not return what was requested
    │   ├── RemoteUnreachable      retry   no connection, or it broke
    │   ├── RemoteTimeout          retry   no response in time
    │   ├── RemoteFailed           retry   HTTP 5xx, or a body that says so
    │   ├── RemoteGarbled          retry   a response that violates the contract
    │   │   ├── RemoteShort        retry   a page with fewer records than HRIMS counts there
    │   │   ├── RemoteLong         retry   a page with more records than requested
    │   │   ├── RemoteRepeated     retry   a page that HRIMS sent under another number before
    │   │   ├── RemoteOtherPage    retry   a page with another number than requested
    │   │   └── RemoteContradictory retry  a page with more records than its total
    │   ├── RemoteTooLarge         retry   a response over our size limit or that of HRIMS (413)
    │   ├── RemoteDown             retry   the circuit breaker is open; waiting uses up no attempt
    │   ├── RemoteBadRequest       never   HRIMS calls the request wrong
    │   ├── RemoteCredentials      never   HRIMS does not accept the credentials
    │   ├── RemoteUnknown          never   HRIMS does not know the vote code, TIN or person
    │   ├── RemoteEndless          never   more or fewer records than requested, with every page size
    │   └── RemoteDrifted          never   no record of a page has a ZanID: the field is gone
    ├── PreviewError               a preview cannot be applied; a retry does not help
    │   ├── PreviewGone            its employees were deleted
    │   └── PreviewOutdated        the employees changed since the preview was approved
    └── StaleAttempt               this attempt no longer owns its run

The message of an error is written for users: what happened, what was kept, what to do.
"""

from typing import ClassVar


class HrimsSyncError(Exception):
    """An error with a message for users. ``is_retryable`` tells whether a retry can help."""

    code: str = "error"
    is_retryable: ClassVar[bool] = True


class ConfigError(HrimsSyncError):
    """A setting is wrong; nothing was started."""

    code = "config"


class DatabaseUnusable(HrimsSyncError):
    """The database cannot be used as it is: unreachable, of another version, not migrated."""

    code = "database"


class BackgroundTaskEnded(HrimsSyncError):
    """A background task of a worker has ended. The worker process ends and must be restarted."""

    code = "background_task_ended"


class InputError(HrimsSyncError):
    """The request must be changed; nothing was done. ``code`` is for machines, ``status`` that of HTTP."""

    status: ClassVar[int] = 400
    code = "bad_request"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code or self.code


class InvalidInput(InputError):
    """A value is missing or wrong."""

    code = "invalid_input"


class NotSignedIn(InputError):
    """The request has no signed-in user and no valid token."""

    status = 401
    code = "not_signed_in"


class NotAllowed(InputError):
    """The role of the user or token does not permit this action."""

    status = 403
    code = "not_allowed"


class NotFound(InputError):
    """The requested object does not exist."""

    status = 404
    code = "not_found"


class Conflict(InputError):
    """The state of the object does not permit this action."""

    status = 409
    code = "conflict"


class TooLarge(InputError):
    """The request is larger than the size limit."""

    status = 413
    code = "too_large"


class Unprocessable(InputError):
    """The values are well formed but do not belong together."""

    status = 422
    code = "not_acceptable"


class TooMany(InputError):
    """Too many requests."""

    status = 429
    code = "too_many"


class RemoteError(HrimsSyncError):
    """HRIMS did not return what was requested: HTTP status, milliseconds, Retry-After in seconds, if any."""

    code = "remote"
    status: int | None = None
    ms: int | None = None

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RemoteUnreachable(RemoteError):
    """No connection to HRIMS, or it broke before the response was complete."""

    code = "remote_unreachable"


class RemoteTimeout(RemoteError):
    """HRIMS did not respond in time."""

    code = "remote_timeout"


class RemoteFailed(RemoteError):
    """HRIMS reported a failure: HTTP 5xx, or a body that says so."""

    code = "remote_failed"


class RemoteGarbled(RemoteError):
    """A response that violates the contract. A page had ``had`` records and the total ``total``."""

    code = "remote_garbled"

    def __init__(self, message: str, *, had: int = 0, total: int | None = None) -> None:
        super().__init__(message)
        self.had, self.total = had, total


class RemoteShort(RemoteGarbled):
    """A page with fewer records than HRIMS itself counts there."""

    code = "remote_short"


class RemoteLong(RemoteGarbled):
    """A page with more records than requested."""

    code = "remote_long"


class RemoteRepeated(RemoteGarbled):
    """A page with the employees of another page of the same pass."""

    code = "remote_repeated"


class RemoteOtherPage(RemoteGarbled):
    """A page with another page number than requested."""


class RemoteContradictory(RemoteGarbled):
    """A page with more records than its total."""


class RemoteTooLarge(RemoteError):
    """The response is over our size limit or that of HRIMS (413), and was not read. Use smaller pages."""

    code = "remote_too_large"


class RemoteDown(RemoteError):
    """The circuit breaker is open: HRIMS does not respond, or refuses the credentials."""

    code = "remote_down"


class RemoteBadRequest(RemoteError):
    """HRIMS calls the request wrong."""

    is_retryable = False
    code = "remote_bad_request"


class RemoteCredentials(RemoteError):
    """HRIMS does not accept the credentials."""

    is_retryable = False
    code = "remote_credentials"


class RemoteUnknown(RemoteError):
    """HRIMS does not know the vote code, TIN or person."""

    is_retryable = False
    code = "remote_unknown"


class RemoteDrifted(RemoteError):
    """Every record of a page lacks the field that identifies the employee."""

    is_retryable = False
    code = "remote_drifted"


class RemoteEndless(RemoteError):
    """HRIMS returns more records than requested, or fewer, with every page size."""

    is_retryable = False
    code = "remote_endless"


class PreviewError(HrimsSyncError):
    """A preview cannot be applied in its present state."""

    is_retryable = False
    text: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(self.text)


class PreviewGone(PreviewError):
    """The employees of the preview were deleted."""

    code = "preview_gone"
    text = "The preview was discarded or has expired. Start a new one."


class PreviewOutdated(PreviewError):
    """The employees changed between the approval and the first page to apply."""

    code = "preview_outdated"
    text = (
        "The employees have changed since this preview was approved, so nothing was applied. "
        "Look at the preview again; it shows the current difference."
    )


class StaleAttempt(HrimsSyncError):
    """This attempt no longer owns its run: the run was cancelled, has ended or was taken over."""

    code = "fenced"
