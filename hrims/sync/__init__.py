"""Execution of runs. Input: an attempt from ``jobs``. Output: saved rows, and the outcome of the run.

- ``task`` is the queue's task. It knows the kinds of runs: ``run`` syncs or previews a list, ``apply`` saves
  what a preview stored, ``rejected`` requests the pages of open rejects again, ``person`` syncs one person.
  All get one ``context``.
- ``run`` has a function for each step of a sync, and ``steps`` the table of which step follows which.
- ``passes`` reads a list, or parts of it again. Its ``fetcher`` requests pages at the same time, as the
  ``page_scheduler`` decides. That one uses ``spans`` (positions), ``cursor`` (what is left), ``throttle``
  (how much at the same time) and ``failure_policy`` (what a failure means). ``availability`` finds out
  whether HRIMS responds.
- ``fetch_page`` requests one page, ``single`` one record. ``pages`` saves a page in one transaction.
  ``retry`` repeats requests that are not part of a pass.
- HRIMS' responses are not trusted: ``page_fit`` detects a page size that HRIMS does not give, ``list_end``
  requests what follows the end of the list, ``repeats`` decides between records that share a ZanID.
- ``reconcile`` compares the counts with the total. ``finalize`` updates leavers, cases and drift in the
  transaction that ends the run. ``store`` has the SQL of checkpoint, progress and outcome.
"""
