"""How well two workers use two processor cores: against one worker, and against two runs at once that know nothing of each other.

    python benchmarks/workers.py [--rows 20000] [--input ads.csv] [--runs 3]

On a machine that others use as well, wall time says little by itself. The two independent runs meet the same neighbours and
are the upper bound; processor time tells what handing batches to and fro costs.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from faults import plant


def timed(*commands: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of programs run at once."""
    before, started = os.times(), time.perf_counter()
    running = [subprocess.Popen(command) for command in commands]
    codes = [process.wait() for process in running]
    wall, after = time.perf_counter() - started, os.times()
    assert set(codes) <= {0, 3}, codes
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, used


def main() -> None:
    """Print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--input", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = arguments.input or folder / "ads.csv"
        if arguments.input is None:
            source.write_bytes(plant(arguments.rows, 0.0).clean)

        def command(target: str, workers: int) -> list[str]:
            options = ["-o", str(folder / target), "-q", "--workers", str(workers)]
            return [sys.executable, "-m", "jobscam", "score", str(source), *options]

        ways = {
            "one worker": [command("one.csv", 1)],
            "two workers": [command("two.csv", 2)],
            "two runs at once": [command("a.csv", 1), command("b.csv", 1)],
        }
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
        for _ in range(arguments.runs):
            for way, commands in ways.items():
                found[way].append(timed(*commands))
        same = (folder / "one.csv").read_bytes() == (folder / "two.csv").read_bytes()
    wall = {way: statistics.median(w for w, _ in times) for way, times in found.items()}
    used = {way: statistics.median(u for _, u in times) for way, times in found.items()}
    for way in ways:
        print(f"{way:17} {wall[way]:7.2f} s, {used[way]:7.2f} s of processor time")
    one = wall["one worker"]
    bound = 2 * one / wall["two runs at once"]
    print(f"two workers are {one / wall['two workers']:.2f} times as fast as one; the bound is {bound:.2f} times")
    print(f"processor time of two workers / one: {used['two workers'] / used['one worker']:.3f}; same bytes: {same}")


if __name__ == "__main__":
    main()
