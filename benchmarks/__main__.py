"""Prints all figures: ``python -m benchmarks``, which is ``make bench``."""

from benchmarks import ask, kills, scenarios, shape, stream

for benchmark in (ask, stream, shape, kills, scenarios):
    print(f"\n{benchmark.__name__}: {(benchmark.__doc__ or '').splitlines()[0]}")
    benchmark.main()
