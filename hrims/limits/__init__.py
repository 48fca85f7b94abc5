"""How much HRIMS is asked, counted in Postgres so that it holds over all workers on all machines.

``slots`` gives places at the remote to whoever asks a page and takes them back; ``breaker`` says whether
it is asked at all, and why not; ``store`` has the SQL of both.
"""
