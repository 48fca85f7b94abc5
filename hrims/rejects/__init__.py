"""Rejects across runs: the records that a page could not keep come in; cases that are open until the record
comes right go out, to be looked at, downloaded and asked for again.

``identity`` says whose record it is; ``cases`` opens, refreshes and closes; ``asking`` queues the run that
asks again; ``listing`` is the filter of screen and API; ``words`` says what to do; ``export`` writes files.
"""
