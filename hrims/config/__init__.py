"""Every setting: read once from the environment, typed, refused loudly with a hint.

Each secret may also come from a file, named by the same variable with ``_FILE`` behind it.
"""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from hrims.config.settings import PROJECT, Settings
from hrims.errors import ConfigError

__all__ = ["PROJECT", "Settings", "load"]


def load(environ: Mapping[str, str]) -> Settings:
    """Settings from the environment.

    Raises ConfigError, which names the variable, what is wrong with it and what to give instead;
    a secret's value is never repeated.
    """
    values = {}
    for item in fields(Settings):
        raw = _raw(environ, item.metadata["name"], secret=item.metadata["secret"])
        if raw is not None:
            values[item.name] = _parsed(item.metadata, raw)
    return Settings(**values)


def _raw(environ: Mapping[str, str], name: str, *, secret: bool) -> str | None:
    value = environ.get(name, "").strip()
    path = environ.get(f"{name}_FILE", "").strip() if secret else ""
    if value and path:
        raise ConfigError(f"{name} and {name}_FILE are both set; keep one. Nothing was started.")
    if path:
        try:
            value = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as reason:
            raise ConfigError(
                f"{name}_FILE cannot be read ({type(reason).__name__}). Nothing was started."
            ) from None
    return value or None


def _parsed(about: Mapping[str, Any], raw: str) -> Any:
    try:
        return about["parse"](raw)
    except ValueError as reason:
        hint = str(reason) if "give" in str(reason) or "go into" in str(reason) else "give a number"
        shown = "its value" if about["secret"] or "@" in raw else repr(raw)
        raise ConfigError(
            f"{about['name']} is wrong: {shown} does not do; {hint}. Nothing was started."
        ) from None
