"""What Dask costs beside scoring on one machine: the same ads, one machine and clusters of 1, 2 and 4 worker processes.

    python benchmarks/engines.py [--data ../shared/data] [--rows 100000] [--group 2000] [--workers 1 2 4]

Ads are drawn with replacement from real ones (``--data``), else from the authored samples. One machine reads and writes
CSV in the order of the input, Dask reads and writes Parquet; both times are of whole runs, starting processes and loading
the model included. The processor's seconds, of all processes, tell the cost also on a machine that others use. In the last
run one worker is killed when a third of the partitions is done. Every run must give the same values, or the benchmark fails.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import signal
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from jobscam.corpus import read_samples, read_sources
from jobscam.engines import dask as engine
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.posting import FIELDS
from jobscam.streaming import score_table

ROOT = Path(__file__).parents[1]
SEED = 1


def draw(data: Path | None, count: int) -> pd.DataFrame:
    rows = read_sources(data) if data else [r for f in ("train", "ads") for r in read_samples(ROOT / "data/samples" / f"{f}.csv")]
    rows = [row for row in rows if any(c.isalnum() for c in row.posting.text())]  # one machine would reject the others
    drawn = random.Random(SEED).choices(rows, k=count)
    return pd.DataFrame([asdict(row.posting) for row in drawn], columns=list(FIELDS), dtype=str)


def processor() -> float:
    """Seconds of all cores that this process and those it started and ended have used."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def on_one_machine(folder: Path, workers: int) -> float:
    started = time.monotonic()
    score_table(folder / "ads.csv", folder / "local.csv", {}, workers=workers, order="input")
    return time.monotonic() - started


def on_dask(folder: Path, out: Path, workers: int, kill: bool = False) -> tuple[float, float]:
    """Seconds in all, and until the first partition was done."""
    started = time.monotonic()
    first: list[float] = []
    killed: list[int] = []
    with engine._local(workers) as client:

        def watch(progress: Any) -> None:
            first.append(time.monotonic() - started)
            if kill and not killed and 3 * progress.bytes_read >= progress.bytes_total:
                pids = client.run(os.getpid)
                killed.append(pids[next(address for address, keys in client.processing().items() if keys)])
                os.kill(killed[0], signal.SIGKILL)

        engine.score_files(folder / "ads.parquet", out, client=client, on_progress=watch)
    assert bool(killed) == kill
    return time.monotonic() - started, first[0]


def same(out: Path, expected: pd.DataFrame) -> bool:
    files = sorted(out.glob("part-*.parquet"))
    got = pa.concat_tables([pq.read_table(path, columns=list(OUTPUT_COLUMNS)) for path in files]).to_pandas()
    for name in ("jobscam_probability", "jobscam_salary_month_idr"):
        expected[name] = pd.to_numeric(expected[name]).astype(float)
    return bool(got.equals(expected))


def main() -> None:
    """Print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--group", type=int, default=2_000, help="rows a partition")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        frame = draw(arguments.data, arguments.rows)
        frame.to_csv(folder / "ads.csv", index=False)
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, folder / "ads.parquet", row_group_size=arguments.group)
        length = sum(frame["description"].str.len()) / len(frame)
        load = os.getloadavg()[0]
        print(f"{len(frame):,} ads of {length:.0f} characters, {os.cpu_count()} cores, load {load:.1f} before\n")
        print(f"{'':30}{'seconds':>9}{'first after':>13}{'ads/s':>8}{'processor':>11}", flush=True)

        def say(what: str, used: float, seconds: float, first: float | None = None) -> None:
            shown = "" if first is None else f"{first:.1f}"
            print(f"{what:30}{seconds:9.1f}{shown:>13}{len(frame) / seconds:8.0f}{processor() - used:11.1f}", flush=True)

        for workers in sorted({1, *(w for w in arguments.workers if w <= (os.cpu_count() or 1))}):
            used = processor()
            say(f"one machine, {workers} process(es)", used, on_one_machine(folder, workers))
        expected = pd.read_csv(folder / "local.csv", dtype=str, keep_default_na=False)[list(OUTPUT_COLUMNS)]
        for number, (workers, kill) in enumerate([*((w, False) for w in arguments.workers), (2, True)]):
            out = folder / f"out-{number}"
            used = processor()
            say(f"dask, {workers} worker(s){', one killed' * kill}", used, *on_dask(folder, out, workers, kill))
            if not same(out, expected):
                raise SystemExit("the values differ from those of one machine")
        print("\nEvery run gave the same values for every ad.")


if __name__ == "__main__":
    main()
