"""The institutions of a user, as SQL receives them.

A statement that reads for a user calls ``in_scope``, ``run_in_scope`` or ``person_in_scope`` of
migrations/0004_access.sql with the values of ``Scope.values``.
"""

from typing import Any, NamedTuple


class Scope(NamedTuple):
    """The institutions that a user may see, None for all, and the id of the user.

    ``limited_token_id`` is set if the user acts with a token that is limited to institutions. Such a token
    sees the requests that it made itself, not all of its user.
    """

    institutions: tuple[int, ...] | None
    user_id: int | None = None
    limited_token_id: int | None = None

    @property
    def values(self) -> dict[str, Any]:
        """Return the parameters ``scope``, ``viewer`` and ``viewer_token`` of a statement."""
        scope = None if self.institutions is None else list(self.institutions)
        return {"scope": scope, "viewer": self.user_id, "viewer_token": self.limited_token_id}

    @property
    def is_everything(self) -> bool:
        """Return whether the scope has all institutions."""
        return self.institutions is None

    def covers(self, institution_id: int | None) -> bool:
        """Return whether the scope has this institution. Only a user with all institutions has None."""
        return self.institutions is None or institution_id in self.institutions

    def narrowed(self, institutions: list[int] | None) -> "Scope":
        """Return the part of the scope that is among ``institutions``; all of it for None."""
        if institutions is None:
            return self
        return self._replace(institutions=tuple(id_ for id_ in institutions if self.covers(id_)))


EVERYTHING = Scope(None)
"""All institutions: of workers and of the system."""

NOTHING = Scope(())
"""No institution."""
