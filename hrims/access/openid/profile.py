"""What the settings map from the claims of a user. Input: claims. Output: name, role and institutions."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from hrims.access import users
from hrims.access.openid.errors import OpenIdRefused
from hrims.config import Settings
from hrims.errors import ConfigError

MAX_INSTITUTIONS = 10_000
"""Values of the claim of institutions that are read."""


class Profile(NamedTuple):
    """A user as the provider describes them. ``institutions`` are vote codes or TINs; None means all."""

    subject: str
    name: str
    role: str
    institutions: tuple[str, ...] | None


def check_settings(settings: Settings) -> None:
    """Raise ConfigError if the settings of the provider are incomplete or name an unknown role."""
    if not settings.oidc_issuer:
        return
    needed = {
        "HRIMS_OIDC_CLIENT_ID": settings.oidc_client_id,
        "HRIMS_OIDC_REDIRECT_URL": settings.oidc_redirect_url,
        "HRIMS_OIDC_ROLES": settings.oidc_roles,
    }
    if missing := [name for name, value in needed.items() if not value]:
        raise ConfigError(f"With HRIMS_OIDC_ISSUER, also set {', '.join(missing)}. Nothing was started.")
    unknown = {role for _, role in settings.oidc_roles} - {*users.ROLES}
    if unknown:
        raise ConfigError(
            f"HRIMS_OIDC_ROLES is wrong: there is no role {min(unknown)!r}; "
            f"give one of {', '.join(users.ROLES)}. Nothing was started."
        )


def read_profile(claims: Mapping[str, Any], settings: Settings) -> Profile:
    """Return the profile of a user. Raises OpenIdRefused if the claims give no valid name or no role."""
    name = users.normalize_name(str(_find(claims, settings.oidc_user_claim) or ""))
    if not users.NAME.fullmatch(name):
        raise OpenIdRefused(
            "Your account at the sign-in service has no user name that can be used here. Nothing was "
            "changed. Tell the administrator.",
            f"claim {settings.oidc_user_claim}",
            "openid_bad_name",
        )
    return Profile(claims["sub"], name, _read_role(claims, settings), _read_institutions(claims, settings))


def _read_role(claims: Mapping[str, Any], settings: Settings) -> str:
    given = set(_texts(_find(claims, settings.oidc_role_claim)))
    # The first pair of the settings wins.
    for value, role in settings.oidc_roles:
        if value in given:
            return role
    raise OpenIdRefused(
        "Your account at the sign-in service has no role in HRIMS Sync. Nothing was changed. "
        "Ask the administrator for one.",
        f"claim {settings.oidc_role_claim}",
        "openid_no_role",
    )


def _read_institutions(claims: Mapping[str, Any], settings: Settings) -> tuple[str, ...] | None:
    if not settings.oidc_institution_claim:
        return None
    # A missing claim means no institution, not all of them.
    given = _texts(_find(claims, settings.oidc_institution_claim))
    return tuple(sorted(dict.fromkeys(given[:MAX_INSTITUTIONS])))


def _find(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim. Dots in the path lead into objects: ``realm_access.roles``."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str) and item]
