"""Detects drift: changes in what HRIMS sends. Input: the pages of a run, and the counts of the previous run.
Output: the changes, with messages.

``fields`` lists the fields of the contract. ``tally`` counts one page, and detects a page without the key.
``rules`` defines what a change is. ``detection`` compares two runs when a run ends. docs/how-to/read-drift.md
describes it for users.
"""
