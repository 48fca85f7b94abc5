"""Prints the figures of all benchmarks, or of those named: ``python -m benchmarks [NAME …]``.

``make bench`` runs all of them.
"""

import sys

from benchmarks import (
    ask,
    audit,
    broken,
    cleaner,
    drift,
    followers,
    kills,
    latency,
    memory,
    rate,
    scenarios,
    scrape,
    shape,
    stream,
    unchanged,
)

ALL = (
    ask,
    audit,
    stream,
    followers,
    scrape,
    shape,
    rate,
    latency,
    broken,
    unchanged,
    memory,
    drift,
    cleaner,
    kills,
    scenarios,
)

for benchmark in ALL:
    name = benchmark.__name__.rpartition(".")[2]
    if not sys.argv[1:] or name in sys.argv[1:]:
        print(f"\n{name}: {(benchmark.__doc__ or '').splitlines()[0]}", flush=True)
        benchmark.main()
