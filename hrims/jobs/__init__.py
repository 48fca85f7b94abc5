"""The machinery: somebody's wish for a run comes in; attempts at it, one at a time, go out.

``ask`` writes run, progress, audit record and queue job in one transaction; ``queue`` is the
Procrastinate app and knows how a worker runs; ``attempt`` gives every execution its fence number and
writes how it ended; ``retry`` decides what comes after a failure; ``rescue`` takes runs from
workers that died; ``control`` cancels and tries again; ``store`` has the SQL of a run's life.
What is done inside an attempt is the next room's: ``sync``.
"""
