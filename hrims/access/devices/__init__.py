"""Known devices: browsers in which a user has signed in.

Input: the cookie of a browser and a user. Output: whether the user has signed in there before. The cookie is
random and signed, so that a made-up one costs no query. Only a hash of it is stored, for each user apart.
"""

from hrims.access.devices.actions import COOKIE_DAYS, find, forget, forget_others, remember

__all__ = ["COOKIE_DAYS", "find", "forget", "forget_others", "remember"]
