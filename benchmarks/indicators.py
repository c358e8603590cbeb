"""What reading the indicators costs: microseconds an ad by part, and their share of scoring.

    python benchmarks/indicators.py [--data ../shared/data]

Without ``--data`` the authored samples are read, which are short. Figures are medians over five rounds on one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import jobscam
from jobscam.corpus import read_samples, read_sources
from jobscam.indicators import Document, IndicatorReader
from jobscam.posting import Posting

ROOT = Path(__file__).parents[1]
ROUNDS = 5


def cost(postings: list[Posting], work: Callable[[Posting], object]) -> float:
    """Microseconds a posting: the median over some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for posting in postings:
            work(posting)
        times.append((time.perf_counter() - start) / len(postings) * 1e6)
    return median(times)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    rows = read_sources(arguments.data)[::12] if arguments.data else read_samples(ROOT / "data" / "samples" / "ads.csv")
    postings = [r.posting for r in rows]
    scorer = jobscam.load()
    reader: IndicatorReader = scorer._reader
    documents = {id(p): Document(p, reader._normaliser) for p in postings}

    def of(posting: Posting) -> Document:
        return documents[id(posting)]

    places = {id(p): reader._destination.find(of(p)) for p in postings}
    parts: dict[str, Callable[[Posting], object]] = {
        "normalising": lambda p: Document(p, reader._normaliser),
        "language": lambda p: reader._language.identify(of(p).words, of(p).norm),
        "phrases": lambda p: reader._phrases.find(of(p)),
        "places": lambda p: reader._destination.find(of(p)),
        "contacts": lambda p: reader._contact.read(of(p)),
        "pay": lambda p: reader._salary.read(of(p), "id", places[id(p)]),
        "licences": lambda p: reader._agency.licences(of(p)),
        "all indicators": reader.read,
        "scoring with reasons": scorer.assess,
    }
    found = {name: cost(postings, work) for name, work in parts.items()}
    whole = found["scoring with reasons"]
    length = sum(len(p.text()) for p in postings) / len(postings)
    print(f"{len(postings)} ads, {length:.0f} characters each on average")
    for name, value in found.items():
        print(f"{name:22}{value:9.0f} us an ad{100 * value / whole:7.1f} % of scoring")


if __name__ == "__main__":
    main()
