"""Prints all figures, or those named: ``python -m benchmarks [NAME …]``; ``make bench`` is all of them."""

import sys

from benchmarks import (
    ask,
    broken,
    drift,
    kills,
    latency,
    memory,
    rate,
    retention,
    scenarios,
    shape,
    stream,
    unchanged,
)

ALL = (ask, stream, shape, rate, latency, broken, unchanged, memory, drift, retention, kills, scenarios)

for benchmark in ALL:
    name = benchmark.__name__.rpartition(".")[2]
    if not sys.argv[1:] or name in sys.argv[1:]:
        print(f"\n{name}: {(benchmark.__doc__ or '').splitlines()[0]}", flush=True)
        benchmark.main()
