"""Kills runs at random moments, lets others go on, and compares; also what noting down the scored rows costs.

    python benchmarks/resume.py [--rows 1500] [--kills 10] [--seed 1] [--workers 2] [--input ads.csv]

One run is killed (SIGKILL) that many times, each time at a random share of the rows it had left, and then ends; the table,
the rejects and the counts must be those of a run that nothing interrupted. Without ``--input`` the table is made of authored
ads with faulty rows among them.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

from faults import plant

from jobscam import identity
from jobscam.streaming import score_table
from jobscam.work import folder_of, unfinished

_COUNTS = re.compile(r"^\d+ (?:rows read|written|scored) = .*$|^  (?:critical|high|medium|low) .*$", re.MULTILINE)


def command(source: Path, target: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "jobscam", "score", str(source), "-o", str(target), "--chunk", "32", *options]


def counts(said: str) -> list[str]:
    """The counts and the riskiest ads, as printed."""
    return [re.sub(r"written to \S+", "written", line) for line in _COUNTS.findall(said)]


def kill_at(process: subprocess.Popen[str], target: Path, rows: int) -> tuple[int, float]:
    """Kill a run once it has noted down so many rows; returns how many it had, and its seconds."""
    started = time.perf_counter()
    noted = 0
    while process.poll() is None:
        left = unfinished(target)
        noted = left.rows if left else 0
        if noted >= rows:
            process.send_signal(signal.SIGKILL)
            break
        time.sleep(0.005)
    process.wait()
    return noted, time.perf_counter() - started


def killed(source: Path, folder: Path, kills: int, seed: int, workers: int) -> bool:
    rng = random.Random(seed)
    options = ("--workers", str(workers))
    whole, target = folder / "whole.csv", folder / "out.csv"
    started = time.perf_counter()
    done = subprocess.run(command(source, whole, *options), capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    expected = counts(done.stderr)
    total = int(expected[1].split()[0])
    print(f"uninterrupted: {time.perf_counter() - started:.1f} s, {expected[0]}")
    noted = 0
    for number in range(1, kills + 1):
        wanted = noted + rng.randrange(max(1, (total - noted) // 4))
        process = subprocess.Popen(
            command(source, target, *options, "--resume"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
        )
        before = noted
        noted, seconds = kill_at(process, target, wanted)
        seen = "nothing" if not target.exists() else "A FILE"
        print(
            f"  kill {number:2}  after {seconds:5.1f} s  {before:6} rows kept before, {noted:6} now  {seen} under the final name"
        )
    done = subprocess.run(command(source, target, *options, "--resume"), capture_output=True, text=True, check=False)
    same = {
        "table": target.read_bytes() == whole.read_bytes(),
        "rejects": _rejects(target) == _rejects(whole),
        "counts and riskiest ads": counts(done.stderr) == expected,
        "work folder gone": not list(folder.glob(".*")),
    }
    print("  ".join(f"{name}: {'same' if fine else 'DIFFERENT'}" for name, fine in same.items()))
    return all(same.values())


def _rejects(target: Path) -> bytes:
    path = target.with_name(f"{target.stem}.rejects.csv")
    return path.read_bytes() if path.exists() else b""


def cost(source: Path, folder: Path, runs: int) -> None:
    """Processor seconds with and without a journal, taking turns."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    sizes: list[int] = []
    for _ in range(runs):
        for journal in seconds:
            # A source that cannot be read again is scored without one.
            with mock.patch.object(identity, "is_rereadable", return_value=journal):
                started = time.process_time()
                score_table(source, folder / "cost.csv", {}, on_finish=lambda _: sizes.append(_size(folder / "cost.csv")))
                seconds[journal].append(time.process_time() - started)
    ratio = statistics.median(seconds[True]) / statistics.median(seconds[False])
    print(
        f"processor time with the journal / without: {ratio:.3f} (medians of {runs}); the journal has {max(sizes) / 1e6:.2f} MB"
    )


def _size(target: Path) -> int:
    path = folder_of(target) / "journal"
    return path.stat().st_size if path.exists() else 0


def main() -> None:
    """Print what each kill left, and whether the end is the same."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1500)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3, help="runs with and without a journal")
    parser.add_argument("--input", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = arguments.input or folder / "ads.csv"
        if arguments.input is None:
            source.write_bytes(plant(arguments.rows, 0.002).faulty)
        same = killed(source, folder, arguments.kills, arguments.seed, arguments.workers)
        if arguments.runs:
            cost(source, folder, arguments.runs)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
