"""Time to import jobscam and to explain one ad, each in a fresh process (median of 5), and ads scored a second.

usage: python benchmarks/startup.py
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

AD = "Loker Kamboja, CS, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman"
ROOT = Path(__file__).parent.parent


def seconds(*command: str) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    bare = seconds(sys.executable, "-c", "pass")
    imported = seconds(sys.executable, "-c", "import jobscam")
    loaded = seconds(sys.executable, "-c", "import jobscam; jobscam.load()")
    explained = seconds(sys.executable, "-m", "jobscam", "explain", AD)
    print(f"bare interpreter        {bare:6.3f} s")
    print(f"import jobscam          {imported:6.3f} s  (limit 0.5)")
    print(f"import and load model   {loaded:6.3f} s")
    print(f"jobscam explain TEXT    {explained:6.3f} s  (limit 2)")

    import jobscam
    from jobscam.corpus import read_samples

    scorer = jobscam.load()
    postings = [r.posting for name in ("train.csv", "ads.csv") for r in read_samples(ROOT / "data" / "samples" / name)]
    for posting in postings[:50]:
        scorer.assess(posting)
    start = time.perf_counter()
    for posting in postings:
        scorer.assess(posting)
    took = time.perf_counter() - start
    words = sum(len(p.text().split()) for p in postings) / len(postings)
    print(f"assess with reasons     {len(postings) / took:6.0f} ads/s on one core ({words:.0f} words an ad)")


if __name__ == "__main__":
    main()
