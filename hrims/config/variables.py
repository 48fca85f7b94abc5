"""The variables of settings. Input: the structure of the settings. Output: how each variable is parsed."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Meta

from hrims.validation import get_extra


def setting(
    variable: str, description: str, *, prepare: Any = None, secret: bool = False, **bounds: Any
) -> Meta:
    """Return the metadata of a setting: its variable, its description and its bounds.

    ``prepare`` parses the text of the variable. Without it, the text is read by its type.
    """
    extra = {"variable": variable, "prepare": prepare, "secret": secret}
    return Meta(description=description, extra=extra, **bounds)


class Variable(NamedTuple):
    """The variable of a setting: its name, the field and its type, and how its text is parsed."""

    name: str
    field: str
    type_: Any
    is_secret: bool
    prepare: Callable[[str], Any] | None

    @property
    def file(self) -> str | None:
        """Return the variable that names the file of a secret."""
        return f"{self.name}_FILE" if self.is_secret else None


def list_variables(settings: type[msgspec.Struct]) -> tuple[Variable, ...]:
    """Return the variables of all settings, in their order. A field without one is no setting."""
    extras = [(field, get_extra(field.type)) for field in msgspec.structs.fields(settings)]
    fields = [(field, extra) for field, extra in extras if extra]
    return tuple(
        Variable(extra["variable"], field.name, field.type, extra["secret"], extra["prepare"])
        for field, extra in fields
    )
