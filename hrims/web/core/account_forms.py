"""The forms of users and tokens. Input: a form. Output: typed fields, or InvalidInput."""

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, field

from hrims.access import tokens, users
from hrims.numbers import LARGEST
from hrims.validation import Request

Ids = Annotated[list[Annotated[int, Meta(ge=1, le=LARGEST)]], Meta(max_length=10_000)]

ROLE = {"message": f"A role is one of: {', '.join(users.ROLES)}. Nothing was changed.", "code": "bad_role"}

Role = Annotated[str, Meta(max_length=40, extra=ROLE)]


class ScopeForm(Request):
    """The institutions of a user or token: all, or the checked ones."""

    all_: Literal["yes", "no"] = field(name="all", default="no")
    institution: Ids = field(default_factory=list)

    @property
    def institutions(self) -> list[int] | None:
        """Return the checked institutions, or None for all."""
        return None if self.all_ == "yes" else self.institution


class RoleForm(ScopeForm, kw_only=True):
    """Another role of a user, and the institutions if the form has them."""

    role: Role

    @property
    def given(self) -> list[int] | Literal["all"] | None:
        """Return the institutions, or None if none was given."""
        return "all" if self.all_ == "yes" else self.institution or None


class UserForm(ScopeForm, kw_only=True):
    """A new user, who gets a set-up link or a password that must be changed."""

    outcome: ClassVar[str] = "No user was added."

    name: Annotated[str, Meta(max_length=200)]
    role: Role
    first: Literal["link", "password"] = "link"


class TokenForm(ScopeForm, kw_only=True):
    """A new token. An empty user is the one who adds it, empty days never end it."""

    outcome: ClassVar[str] = "No token was made."

    name: Annotated[str, Meta(max_length=200)]
    scope: Annotated[str, Meta(max_length=40)] = tokens.DEFAULT_SCOPE
    user: Annotated[str, Meta(max_length=200)] = ""
    days: Annotated[int, Meta(ge=1, le=tokens.MAX_DAYS)] | None = None
