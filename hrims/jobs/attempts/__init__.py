"""Attempts: a run's number comes in; how one execution of its job ended is written down and told to the
queue.

``attempt`` is the story, ``retry`` says what comes after a failure, ``patience`` how often and how long a run
is tried, ``diary`` what is kept of what an attempt did, ``store`` has the SQL.
"""
