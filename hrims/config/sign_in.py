"""The settings of the sign-in of users."""

from typing import Annotated

from hrims.config.variables import setting
from hrims.config.web import WebSettings


class SignInSettings(WebSettings, frozen=True, kw_only=True):
    """How long a sign-in lasts."""

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
