"""Scoring long tables: time, memory and cost an ad by the number of rows, with one worker and two.

    OMP_NUM_THREADS=1 python benchmarks/million.py [--data ../shared/data] [--rows 1000 10000 100000] [--million]

Ads are drawn with replacement (real ones with ``--data``, else the authored samples) and changed at random, so that no two
are alike. Each run is the command line in processes of its own; memory is the largest that any of its processes used.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from scoring import SAMPLES, drawn, write

from jobscam.corpus import read_samples, read_sources


class Run(NamedTuple):
    """What a run took: seconds by the clock, of the processor, and MiB of its largest process."""

    wall: float
    cpu: float
    peak: float


def run(source: Path, target: Path, workers: int) -> Run:
    """Score a file with the command line."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "jobscam", "score", str(source), "-o", str(target), "-q", "--workers", str(workers)]
    process = subprocess.Popen(command)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 3), process.returncode
    scale = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Run(time.perf_counter() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / scale)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000, 10_000, 100_000])
    parser.add_argument("--million", action="store_true", help="a million rows as well, with two workers only")
    arguments = parser.parse_args()
    rows = read_sources(arguments.data) if arguments.data else read_samples(SAMPLES / "ads.csv")
    postings = [row.posting for row in rows]
    print(f"{'rows':>9}{'MB':>8}{'workers':>9}{'seconds':>9}{'ads/s':>8}{'us an ad (processor)':>22}{'MiB':>7}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in [*arguments.rows, *([1_000_000] if arguments.million else [])]:
            source, made = folder / "ads.csv", []
            write(source, drawn(postings, count, seed=count))
            for workers in (1, 2) if count < 1_000_000 else (2,):
                target = folder / f"scored{workers}.csv"
                found = run(source, target, workers)
                made.append(found)
                print(
                    f"{count:9}{source.stat().st_size / 1e6:8.1f}{workers:9}{found.wall:9.1f}{count / found.wall:8.0f}"
                    f"{1e6 * found.cpu / count:22.0f}{found.peak:7.0f}",
                    flush=True,
                )
            if len(made) == 2:
                same = (folder / "scored1.csv").read_bytes() == (folder / "scored2.csv").read_bytes()
                print(
                    f"{'':9}two workers are {made[0].wall / made[1].wall:.2f} times as fast; the same bytes: {same}", flush=True
                )


if __name__ == "__main__":
    main()
