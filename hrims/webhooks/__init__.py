"""Telling others of a run's end: messages that the database wrote down in the transaction which ended the run
come in; signed requests go out, each tried over a day.

``task`` takes a message's job from its own queue, beside the runs; ``delivery`` is one try, ``post`` sends
it, only to ``addresses`` that may be asked; ``signing`` is the signature of Standard Webhooks, ``pauses``
says when the next try is due. ``endpoints`` is what administrators do, ``shown`` what they see. ``store`` has
the SQL; the triggers that write messages down and queue their jobs are in migration 0012.
"""
