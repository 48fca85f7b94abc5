"""Settings from the environment: read once, typed, and rejected with a hint if they are wrong.

Each secret may also come from a file, named by the same variable with the suffix ``_FILE``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hrims.config import names
from hrims.config.settings import VARIABLES, Settings
from hrims.config.values import Hint
from hrims.config.variables import Variable
from hrims.errors import ConfigError
from hrims.validation import describe, is_number, read_number

__all__ = ["VARIABLES", "Settings", "load"]


def load(environ: Mapping[str, str]) -> Settings:
    """Return the settings from the environment.

    Raises ConfigError, which names every wrong variable, what is wrong with it and what to set instead. It
    never repeats the value of a secret.
    """
    values: dict[str, Any] = {}
    wrong = names.find_unknown(environ)
    for variable in VARIABLES:
        try:
            text = _read(environ, variable)
            if text is not None:
                values[variable.field] = _parse(variable, text)
        except ConfigError as error:
            wrong.append(str(error))
    if not wrong:
        return Settings(**values, given=frozenset(values))
    raise ConfigError("\n".join([*wrong[:-1], f"{wrong[-1]} Nothing was started."]))


def _read(environ: Mapping[str, str], variable: Variable) -> str | None:
    value = environ.get(variable.name, "").strip()
    path = environ.get(variable.file, "").strip() if variable.file else ""
    if value and path:
        raise ConfigError(f"{variable.name} and {variable.file} are both set; keep one.")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise ConfigError(f"{variable.file} cannot be read ({type(error).__name__}).") from None
    return value or None


def _parse(variable: Variable, text: str) -> Any:
    hint = f"give {describe(variable.type_, separator='')}"
    try:
        value = read_number(text) if is_number(variable.type_) else text
        return msgspec.convert(variable.prepare(text) if variable.prepare else value, variable.type_)
    except (ValueError, msgspec.ValidationError) as error:
        hint = str(error) if isinstance(error, Hint) else hint
        shown = "its value" if variable.is_secret or "@" in text else repr(text)
        raise ConfigError(f"{variable.name} is wrong: {shown} is not valid; {hint}.") from None
