"""HRIMS Sync: copies the employees of government institutions from HRIMS into Postgres.

The packages, in the order of the data flow:

1. ``remote``     requests pages from HRIMS; classifies every way in which a request can fail
2. ``employees``  maps a record to a row and saves rows in bulk; unchanged rows are not written
3. ``jobs``       enqueues a run, executes it as fenced attempts, retries and rescues it
4. ``sync``       executes one run, from its first page to its outcome; start with ``sync/run.py``
5. ``runs``       is the read model of runs: state, progress, messages, comparison
6. ``webhooks``   notifies other systems when a run has ended
7. ``web``        serves the pages and the JSON API
8. ``access``     controls permissions: users, sessions, tokens and the audit record; it is below ``jobs``,
   because enqueueing a run writes its audit record in the same transaction

Packages beside this flow:

- ``batches`` requests many runs together, ``schedules`` starts batches automatically.
- ``leavers`` detects from complete runs which employees left. ``people`` finds a person and their history.
- ``previews`` stores what a run would change until a user applies it.
- ``limits`` has what counts over all workers: the slots for requests to HRIMS, and the circuit breaker.
- ``institutions`` has the table of institutions. Its package ``workplaces`` maps names that the table lacks
  to institutions, as users decide.
- ``connection`` changes the connection to HRIMS, as administrators decide.
- ``rejects`` tracks the records that a run could not save, ``drift`` detects changes in HRIMS' responses.
- ``resilience`` retries work while the database is away.
- ``instances`` records which instances of this installation are running.
- ``vault`` encrypts the secrets that the database stores.
- ``postgres`` starts a PostgreSQL server if none is configured.
- ``simulator`` is a stand-in for HRIMS that shares no code with the rest.
- ``cli`` has the commands.
- ``installation`` knows the paths of templates, migrations and other files.
"""
