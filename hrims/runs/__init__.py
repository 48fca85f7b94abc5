"""The read model of runs. Input: the id of a run. Output: its state, its counts and messages about them.

``model`` has the states and totals, ``messages`` the messages, ``attempts`` the attempts. ``store`` reads
runs, people and rejects; ``compare`` compares two runs. This package writes nothing.
"""
