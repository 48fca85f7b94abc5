"""Runs for whoever follows them: a run's number comes in; how it stands, in numbers and in words, goes out.

``progress`` has the states, phrases and sums, purely; ``store`` reads runs, people and rejects. It writes
nothing.
"""
