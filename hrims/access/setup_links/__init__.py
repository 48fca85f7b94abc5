"""One-time links with which users choose their password.

Input: a user. Output: the token of a link, which works once and expires. Only its hash is stored.
"""

from hrims.access.setup_links.actions import HOURS, create_setup_link, find_name, use

__all__ = ["HOURS", "create_setup_link", "find_name", "use"]
