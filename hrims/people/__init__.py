"""People as an HR officer looks at them: words or a person's id come in; who it is, on whose lists, and what
ever happened to them go out.

``store`` searches and reads, ``timeline`` puts history into words, purely. ``searches`` keeps what a user
searched for; nothing else is written.
"""
