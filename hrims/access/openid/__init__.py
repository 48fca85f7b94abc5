"""Sign-in with an OpenID Connect provider: authorization code flow with PKCE, state and nonce.

Input: the settings, and what the provider returns about a user. Output: a session of the user, whose role and
institutions are those that the settings map from claims. Users of the provider have no local password.
"""

from hrims.access.openid.actions import Pending, begin, confirm, finish
from hrims.access.openid.errors import OpenIdRefused, ProviderFailed
from hrims.access.openid.profile import check_settings
from hrims.access.openid.provider import Provider

__all__ = [
    "OpenIdRefused",
    "Pending",
    "Provider",
    "ProviderFailed",
    "begin",
    "check_settings",
    "confirm",
    "finish",
]
