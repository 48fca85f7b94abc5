"""Workers and their pools: a worker's signs of life come in; who works, for which pool, and what it does,
goes out.

``beat`` is the worker's side, ``pools`` ties institutions to pools and says which of them nobody serves,
``store`` has the SQL.
"""
