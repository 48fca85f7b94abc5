"""What users do with their own account.

Input: the session of a user, and what was typed. Output: another password, or a confirmed session.
"""

from hrims.access.account.actions import change_password, confirm_session

__all__ = ["change_password", "confirm_session"]
