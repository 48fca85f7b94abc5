"""Limits of the requests to HRIMS, and of event streams. Their state is in Postgres, so that they cover all
workers and web processes on all machines.

``slots`` limits the requests in flight, ``breaker`` is the circuit breaker, ``store`` has the SQL of both.
``streams`` limits the event streams of a user.
"""
