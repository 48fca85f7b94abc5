"""HRIMS Sync: brings the employees of government institutions from HRIMS into Postgres.

The rooms stand in the order in which the data walks:

1. ``remote``     asks HRIMS for a page and tells every way in which it can fail
2. ``employees``  shapes a record into a row and keeps it, in bulk, unchanged rows unwritten
3. ``jobs``       the machinery: a run is asked for, queued, fenced, tried again, rescued
4. ``sync``       one run from its first page to its outcome; ``sync/run.py`` tells the story
5. ``follow``     runs as those see them who follow one
6. ``webhooks``   tells others when a run has ended
7. ``web``        what people and machines see of it
8. ``access``     who may: users, sessions, tokens, and the audit record; stands below ``jobs``,
   because asking for a run writes its audit record in the same transaction

``batches`` asks for many runs at once, ``schedules`` lets them be asked for by themselves. ``steady`` has how
work outlives a database that is away.

``leavers`` concludes from complete runs who left, ``people`` finds a person and what ever happened to them.
``previews`` keeps what a run would change until somebody applies it, ``compare`` holds two runs side by side.
``limits`` holds what counts over all workers: places at the remote, and the breaker. ``register`` is the
table of institutions, ``workplaces`` what a person says that a name means which it lacks. ``rejects`` and
``drift`` draw what follows from what a run could not keep, and from what has changed in HRIMS' answers.
``instances`` knows which instances of this checkout run. ``postgres`` starts a PostgreSQL of our own where
none is given, ``simulator`` is a stand-in HRIMS that shares no code with the rest, ``cli`` holds the
commands.
"""
