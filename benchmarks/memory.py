"""Peak memory of the worker (VmHWM) for 2,500 and for 100,000 people, in pages of 100.

At most 100 MB, and less than 10 MB more for forty times as many people. Each measurement has its own worker.
"""

from pathlib import Path

from benchmarks.run_environment import run_environment

VOTE, PAGE = "001", 100
FEW, MANY = 2_500, 100_000
MOST, GROWTH = 100.0, 10.0


def main() -> None:
    """Print both peaks: each after a run in which all people are new and a run in which none are."""
    few, many = _peak(FEW), _peak(MANY)
    verdict = "holds" if many <= MOST and many - few < GROWTH else "DOES NOT HOLD"
    print(f"  {many - few:+.1f} MB; at most {MOST:.0f} MB, growing by less than {GROWTH:.0f}: {verdict}")


def _peak(people: int) -> float:
    with run_environment({VOTE: people}) as on, on.database() as base, base.worker():
        idle = _highest(base.pid)
        base.run(VOTE, PAGE)
        base.run(VOTE, PAGE)
        peak = _highest(base.pid)
    print(f"    {people:>7,} people: {peak:5.1f} MB (idle {idle:.1f} MB)", flush=True)
    return peak


def _highest(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


if __name__ == "__main__":
    main()
