"""Settings of the limits of users and programs."""

from typing import Annotated

from msgspec import Struct

from hrims.config.variables import setting


class LimitSettings(Struct, frozen=True, kw_only=True):
    """How much each user, token and address may request. 0 removes a limit."""

    requests_per_client: Annotated[
        int,
        setting("HRIMS_REQUESTS_PER_CLIENT", "requests of one user or token in a minute", ge=0, le=1_000_000),
    ] = 600
    requests_per_address: Annotated[
        int,
        setting(
            "HRIMS_REQUESTS_PER_ADDRESS",
            "requests from one address in a minute; an office may share one",
            ge=0,
            le=1_000_000,
        ),
    ] = 3000
    wrong_tokens_per_address: Annotated[
        int,
        setting(
            "HRIMS_WRONG_TOKENS_PER_ADDRESS",
            "requests with a wrong token from one address in a minute",
            ge=0,
            le=1_000_000,
        ),
    ] = 20
