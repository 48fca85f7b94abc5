"""A rate limiter for requests. Input: a user or token, and an address. Output: nothing, or TooManyRequests.

Postgres counts, so that the limits cover all web processes. A minute is a fixed window.
"""

from hrims.access.request_limits.actions import TooManyRequests, check, check_unauthorized

__all__ = ["TooManyRequests", "check", "check_unauthorized"]
