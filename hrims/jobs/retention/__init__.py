"""Retention: what has ended and is old comes in; its summary stays. ``prune`` does it beside the worker,
``store`` has the SQL.
"""
