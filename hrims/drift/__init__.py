"""Drift: whether HRIMS' answers are still what they were. A page comes in, counts go out; the counts of a run
and of the one before come in, what has changed goes out, in words.

``fields`` is what the contract knows; ``tally`` counts one page, and sees a page without the key; ``rules``
says what a change is; ``settle`` draws the conclusion when a run ends. docs/drift.md tells it to people.
"""
