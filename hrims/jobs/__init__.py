"""The machinery: somebody's wish for a run comes in; attempts at it, one at a time, go out.

``ask`` writes run, progress, audit record and queue job in one transaction; ``queue`` is the
Procrastinate app and knows how a worker runs; ``attempts`` gives every execution its fence number,
writes how it ended and decides what comes after a failure; ``starts`` says when a run may begin,
``workers`` who works and for whom; ``rescue`` takes runs from workers that died; ``control`` cancels,
tries again and begins anew; ``store`` has the SQL of a run's life. What is done inside an attempt is
the next room's: ``sync``.
"""
