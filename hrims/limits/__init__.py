"""Limits of the requests to HRIMS. Their state is in Postgres, so that they cover all workers on all
machines.

``slots`` limits the requests in flight, ``breaker`` is the circuit breaker, ``store`` has the SQL of both.
"""
