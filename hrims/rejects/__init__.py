"""Tracks rejects over runs. Input: the records of a page that could not be saved. Output: cases, which stay
open until the record comes right. Users view and download them, and request their records again.

``identity`` identifies the employee of a record. ``cases`` opens, refreshes and closes cases. ``retry``
enqueues the run that requests the records again. ``listing`` is the filter of pages and API. ``messages`` has
the advice for each code. ``export`` writes files.
"""
