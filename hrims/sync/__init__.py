"""One run: an attempt comes in from ``jobs``; people in the database and an outcome go out.

``run`` is the story, top to bottom; ``task`` hands it to the queue; ``pages`` asks for a page until
it is answered and saves it in one transaction; ``reconcile`` adds up whether everybody is there;
``store`` has the SQL of checkpoint, progress and outcome, and reads runs for whoever follows them.
``spans`` and ``plan`` say, purely, which pages to ask for when pages are split or change their size;
the story does not walk through them yet.
"""
