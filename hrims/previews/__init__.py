"""Previews: shaped pages come in and are kept apart; what they would change goes out, and may be applied.

``store`` keeps a page's people in its transaction and works the difference out anew at every look, against
the employees as they are then; ``difference`` is what it comes to; ``decide`` applies or throws away;
``sweep`` empties what is no longer needed, so that nobody's data piles up. The run that applies is told in
``sync/apply.py``.
"""
