"""The forms of the sign-in and of “My account”. Each field has its type and its bounds."""

from typing import Annotated, ClassVar

from msgspec import Meta

from hrims.errors import InvalidInput
from hrims.validation import UNCHANGED, Request
from hrims.web.core.guard import HOME
from hrims.web.core.queries import NextPath

MAX_TYPED = 10_000
"""Characters of a name or password that are compared with known ones."""


EMPTY_SIGN_IN = "Enter your name and your password."


def typed(missing: str) -> Meta:
    """Return the bounds of a typed name or password. ``missing`` is the message if it is empty."""
    extra = {
        "expected": f"text of at most {MAX_TYPED:,} characters",
        "missing_message": missing,
        "is_verbatim": True,
    }
    return Meta(max_length=MAX_TYPED, extra=extra)


class NextForm(Request):
    """Where the sign-in leads."""

    next: NextPath = HOME


class SignInForm(Request):
    """The name and the password of a user."""

    outcome: ClassVar[str] = ""

    name: Annotated[str, typed(EMPTY_SIGN_IN), Meta(extra={"is_verbatim": False})]
    password: Annotated[str, typed(EMPTY_SIGN_IN)]


class NewPasswordForm(Request, kw_only=True):
    """A new password, typed twice."""

    new: Annotated[str, typed("Enter the new password.")]
    repeated: Annotated[str, typed("Enter the new password twice.")]

    @property
    def password(self) -> str:
        """Return the new password. Raises InvalidInput if it was not typed twice in the same way."""
        if self.new != self.repeated:
            raise InvalidInput(f"The two new passwords are different. {UNCHANGED}", "bad_password")
        return self.new


class PasswordForm(NewPasswordForm, kw_only=True):
    """The current password of a user and a new one."""

    current: Annotated[str, typed("Enter your current password.")]


class ConfirmForm(Request):
    """The password of a user, or a code of the two-step sign-in, and the page to return to."""

    outcome: ClassVar[str] = ""

    secret: Annotated[str, typed("Enter your password or a code.")]
    next: NextPath = HOME


class CodeForm(Request):
    """A code of the app of a user."""

    outcome: ClassVar[str] = ""

    code: Annotated[str, typed("Enter the code that your app shows.")]


class ChallengeForm(Request):
    """The token of a user whose password was right."""

    outcome: ClassVar[str] = ""

    challenge: Annotated[str, typed("Enter your password first.")]
