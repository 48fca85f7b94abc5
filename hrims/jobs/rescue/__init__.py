"""Rescue: jobs that lost their worker, and runs that lost their job, come in; runs that go on from their
checkpoint, or have failed for good, go out. ``watch`` looks for them, ``store`` has the SQL.
"""
