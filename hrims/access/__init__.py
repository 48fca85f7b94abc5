"""Who may: names, passwords, cookies and tokens come in; who acts, or a refusal, goes out.

``sign_in`` tells the story of a person's sign-in; ``users``, ``sessions`` and ``tokens`` keep who may,
``throttle`` slows down who guesses, ``keys`` holds what all web processes share, ``audit`` the record.
"""
