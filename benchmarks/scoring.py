"""What scoring a file costs, against a bare scikit-learn pipeline and fastText on the same ads: one core, one run.

    OMP_NUM_THREADS=1 python benchmarks/scoring.py [--data ../shared/data] [--ads 2000] [--rows 1000 10000]

Ads are drawn with replacement (real ones with ``--data``, else the authored samples) and changed at random, so that no
two are alike and nothing that remembers texts is flattered. jobscam reads a CSV file and writes one with probability,
tier, indicators and reasons. The pipeline (TF-IDF of words 1-2 and char_wb 2-5, logistic regression) and fastText are
trained on the training samples; they only predict, from texts in memory. Figures are seconds of the processor, of the
process itself; the clock is shown beside them, because a machine may be shared.
"""

from __future__ import annotations

import argparse
import csv
import gc
import random
import resource
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jobscam
from jobscam import explain, indicators
from jobscam.corpus import read_samples, read_sources
from jobscam.posting import FIELDS, Posting
from jobscam.scoring import Scorer
from jobscam.streaming import score_table

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "data" / "samples"
LENGTHS = (10**2, 10**3, 10**4, 10**5, 10**6, 10**7)


def changed(posting: Posting, words: list[str], rng: random.Random) -> Posting:
    """The same ad with a word in thirty inserted or replaced and a third of the figures changed."""
    values = {}
    for name in FIELDS:
        text = getattr(posting, name)
        if name in ("title", "description", "requirements", "benefits", "company_profile") and text:
            parts = text.split(" ")
            for _ in range(len(parts) // 30 + 1):
                at = rng.randrange(len(parts))
                parts[at : at + rng.randrange(2)] = [rng.choice(words)]
            text = "".join(rng.choice("0123456789") if c.isdigit() and rng.random() < 0.3 else c for c in " ".join(parts))
        values[name] = text
    return Posting(**values)


def drawn(postings: list[Posting], count: int, seed: int) -> Iterator[Posting]:
    """Ads drawn with replacement and changed."""
    rng = random.Random(seed)
    words = sorted({w for p in postings for w in p.text().split()})
    return (changed(rng.choice(postings), words, rng) for _ in range(count))


def write(path: Path, postings: Iterable[Posting]) -> None:
    """A CSV file with one column a field."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow(FIELDS)
        out.writerows([getattr(p, name) for name in FIELDS] for p in postings)


def seconds(work: Callable[[], object], rounds: int = 3) -> tuple[float, float]:
    """Least processor and clock seconds of some rounds."""
    cpu, wall = [], []
    for _ in range(rounds):
        start, clock = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - clock)
    return min(cpu), min(wall)


def peak() -> float:
    """Most memory the process has used, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def say(name: str, count: int, size: int, cpu: float, wall: float) -> float:
    """One line of the table; returns ads a second."""
    print(f"{name:34}{count / cpu:9.0f} ads/s{size / cpu / 1e6:8.2f} MB/s{count / wall:9.0f} by the clock")
    return count / cpu


def pipeline(texts: list[str], labels: list[int]) -> Any:
    """The bare pipeline, fitted."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    union = make_union(TfidfVectorizer(ngram_range=(1, 2)), TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5)))
    return make_pipeline(union, LogisticRegression(max_iter=1000)).fit(texts, labels)


def fasttext_model(texts: list[str], labels: list[int], **options: int) -> Any:
    """A fastText classifier, or None where it is not installed."""
    try:
        import fasttext
    except ImportError:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as stream:
        stream.writelines(f"__label__{y} {' '.join(t.split())}\n" for t, y in zip(texts, labels, strict=True))
        stream.flush()
        return fasttext.train_supervised(stream.name, wordNgrams=2, thread=1, verbose=0, epoch=5, **options)


@contextmanager
def timed(scorer: Scorer) -> Iterator[dict[str, float]]:
    """Processor seconds by step of what is scored inside."""
    spent: dict[str, float] = defaultdict(float)
    reader = scorer._reader
    steps: list[tuple[Any, str, str]] = [
        (reader._normaliser, "read", "normalise"),
        (reader._language, "identify", "language"),
        (reader._phrases, "find", "phrases"),
        (reader._destination, "find", "places"),
        (reader._contact, "read", "contacts"),
        (reader._contact, "find", "contacts, judged"),
        (reader._salary, "read", "pay"),
        (reader._salary, "find", "pay, judged"),
        (reader._agency, "licences", "licences"),
        (reader._agency, "find", "agency"),
        (indicators, "evidence_of", "evidence of phrases"),
        (indicators.posting_type, "judge", "status"),
        (scorer._space, "row", "row of features"),
        (scorer._hasher, "grams_of", "hashing"),
        (type(scorer.model), "text_values_of", "linear model"),
        (explain.Shares, "__init__", "shares of the log-odds"),
        (explain.Assessment, "columns", "columns and reasons"),
        (scorer, "assess_many", "all of scoring but columns"),
    ]
    kept = [(owner, name, owner.__dict__.get(name)) for owner, name, _ in steps]

    def watch(owner: Any, name: str, label: str) -> None:
        inner = getattr(owner, name)

        def outer(*args: Any, **options: Any) -> Any:
            start = time.process_time()
            try:
                return inner(*args, **options)
            finally:
                spent[label] += time.process_time() - start

        setattr(owner, name, outer)

    for owner, name, label in steps:
        watch(owner, name, label)
    # Else one sweep over all that the other programs left in memory is counted to the step that it happens to fall into.
    gc.collect()
    gc.freeze()
    try:
        yield spent
    finally:
        gc.unfreeze()
        for owner, name, own in kept:
            if own is None:
                delattr(owner, name)
            else:
                setattr(owner, name, own)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--ads", type=int, default=2000)
    parser.add_argument("--rows", type=int, nargs="*", default=[1000, 10_000])
    arguments = parser.parse_args()
    rows = read_sources(arguments.data) if arguments.data else read_samples(SAMPLES / "ads.csv")
    postings = [row.posting for row in rows]
    ads = list(drawn(postings, arguments.ads, seed=1))
    texts = [" ".join(p.laid_out().split()) for p in ads]
    train = [row for row in read_samples(SAMPLES / "train.csv") if row.label in (0, 1)]
    train_texts, labels = [row.posting.laid_out() for row in train], [int(row.label) for row in train]
    scorer = jobscam.load()
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "ads.csv", Path(folder) / "scored.csv"
        write(source, ads)
        size = source.stat().st_size
        print(f"{len(ads)} ads, {sum(map(len, texts)) / len(ads):.0f} characters each on average, {size / 1e6:.1f} MB")

        cpu, wall = seconds(lambda: score_table(source, target, lambda: scorer))
        rate = say("jobscam, file to file with reasons", len(ads), size, cpu, wall)
        print(f"{'peak memory of the process':34}{peak():9.0f} MiB")
        cpu, wall = seconds(lambda: scorer.assess_many(ads))
        say("jobscam, in memory", len(ads), size, cpu, wall)
        print("\njobscam, file to file, is so many times as fast as")
        fitted = pipeline(train_texts, labels)
        others: list[tuple[str, Callable[[], object]]] = [("scikit-learn", lambda: fitted.predict_proba(texts))]
        for name, options in (("fastText with subwords", {"minn": 2, "maxn": 5}), ("fastText, words only", {})):
            if model := fasttext_model(train_texts, labels, **options):
                others.append((name, lambda model=model: model.predict(texts)))
        for name, work in others:
            cpu, wall = seconds(work)
            print(f"{rate * cpu / len(ads):10.2f} x", end="  ")
            say(name, len(ads), size, cpu, wall)

        print("\nmicroseconds an ad by step")
        with timed(scorer) as spent:
            for found in scorer.assess_many(ads):
                found.columns()
        for name, value in spent.items():
            print(f"{name:34}{1e6 * value / len(ads):9.0f}")

        print("\nrows a file: microseconds an ad, file to file")
        for count in arguments.rows:
            write(source, drawn(postings, count, seed=2))
            cpu, _ = seconds(lambda: score_table(source, target, lambda: scorer), rounds=1)
            print(f"{count:10}{1e6 * cpu / count:10.0f}")
    print("\ncharacters of an ad: milliseconds, microseconds a character")
    whole = "\n".join(texts)
    for length in LENGTHS:
        ad = (whole * (length // len(whole) + 1))[:length]
        cpu, _ = seconds(lambda ad=ad: scorer.assess(ad).columns(), rounds=1)
        print(f"{length:10}{1e3 * cpu:10.1f}{1e6 * cpu / length:10.3f}")


if __name__ == "__main__":
    main()
