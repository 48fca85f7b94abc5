"""One run: an attempt comes in from ``jobs``; people in the database and an outcome go out.

``run`` is the story, top to bottom; ``task`` hands it to the queue; ``readings`` reads a listing, or
parts of it again, with a ``crew`` that asks for pages at the same time as the ``plan`` says, over
``spans`` of positions; ``pages`` asks for one page and saves it in one transaction; ``reconcile`` adds
up whether everybody is there; ``store`` has the SQL of checkpoint, progress and outcome.
"""
