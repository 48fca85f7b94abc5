"""Authentication and the audit record.

Input: names, passwords, cookies and tokens. Output: the user or machine that acts, or a refusal.

``permissions`` says what each role may do, ``scope`` which institutions a user may see, and ``actor`` is the
user or machine that acts. ``users``, ``sessions`` and ``tokens`` store users, sessions of browsers and
tokens of machines.

``sign_in`` is the sign-in with a password, and ``openid`` that with a provider. ``throttle`` limits password
guesses, and ``devices`` keeps them away from the browsers that a user has used. ``challenges`` keeps a
sign-in that waits for a code of ``two_step``. ``passwords`` and ``password_rules`` hash and check passwords,
``setup_links`` lets new users choose one, and ``account`` is what users change themselves.

``request_limits`` limits all requests, ``keys`` has the secrets that all web processes share, ``names``
hashes unknown names, and ``audit`` writes the audit record.
"""
