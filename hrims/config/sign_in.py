"""The settings of the sign-in of users."""

from typing import Annotated

from hrims.config.values import role_pairs, url
from hrims.config.variables import setting
from hrims.config.web import WebSettings


class SignInSettings(WebSettings, frozen=True, kw_only=True):
    """How long a sign-in lasts, and the OpenID provider."""

    session_hours: Annotated[
        float, setting("HRIMS_SESSION_HOURS", "hours after which a sign-in ends", ge=0.1, le=720)
    ] = 12.0
    session_idle_minutes: Annotated[
        float,
        setting(
            "HRIMS_SESSION_IDLE_MINUTES",
            "minutes without a request of the user after which a sign-in ends",
            ge=2,
            le=43200,
        ),
    ] = 60.0

    # OpenID Connect
    oidc_issuer: Annotated[
        str | None,
        setting("HRIMS_OIDC_ISSUER", "address of an OpenID provider with which users sign in", prepare=url),
    ] = None
    oidc_name: Annotated[
        str, setting("HRIMS_OIDC_NAME", "name of the provider on the sign-in page", max_length=60)
    ] = "the sign-in service"
    oidc_client_id: Annotated[
        str | None, setting("HRIMS_OIDC_CLIENT_ID", "name of HRIMS Sync at the provider")
    ] = None
    oidc_client_secret: Annotated[
        str | None,
        setting("HRIMS_OIDC_CLIENT_SECRET", "secret of HRIMS Sync at the provider", secret=True),
    ] = None
    oidc_redirect_url: Annotated[
        str | None,
        setting(
            "HRIMS_OIDC_REDIRECT_URL",
            "address to which the provider returns users; it ends with /sign-in/openid/callback",
            prepare=url,
        ),
    ] = None
    oidc_scopes: Annotated[str, setting("HRIMS_OIDC_SCOPES", "what is asked of the provider")] = (
        "openid profile"
    )
    oidc_user_claim: Annotated[str, setting("HRIMS_OIDC_USER_CLAIM", "claim with the user name")] = (
        "preferred_username"
    )
    oidc_role_claim: Annotated[
        str, setting("HRIMS_OIDC_ROLE_CLAIM", "claim with the roles or groups; dots lead into objects")
    ] = "roles"
    oidc_roles: Annotated[
        tuple[tuple[str, str], ...],
        setting(
            "HRIMS_OIDC_ROLES",
            "roles by value of that claim, the first one first: hr-admins=administrator,hr=officer",
            prepare=role_pairs,
        ),
    ] = ()
    oidc_institution_claim: Annotated[
        str | None,
        setting("HRIMS_OIDC_INSTITUTION_CLAIM", "claim with vote codes or TINs of a user; without it, all"),
    ] = None
