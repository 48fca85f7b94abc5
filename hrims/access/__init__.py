"""Authentication and the audit record.

Input: names, passwords, cookies and tokens. Output: the user or machine that acts, or a refusal.

``sign_in`` is the sign-in of a user. ``users``, ``sessions`` and ``tokens`` store users, browser sessions and
API tokens. ``throttle`` limits password guesses, ``keys`` has the secrets that all web processes share, and
``audit`` has the audit record.
"""
