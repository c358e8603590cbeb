"""How well reposts are found, and what that costs: plants perturbed reposts among ads, groups them, counts pairs.

    python benchmarks/campaigns.py [--data ../shared/data] [--rows 10000 100000] [--million]

Originals are made of sentences and lines drawn from ads of one source (real ones with ``--data``, else the authored
samples), so that they share phrases and templates as ads do. A fifth of the rows are originals with reposts; a repost
has up to three changes: typos, emoji, a sentence left out, other figures, another phone, lines in another order.
Each size runs in a process of its own, so that its peak of memory is its own.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from jobscam.campaigns import body, group
from jobscam.corpus import Row, read_samples, read_sources

ROOT = Path(__file__).parents[1]
MEAN = 300
"""Characters an ad has on average."""
REPOSTS = (1, 1, 1, 2, 2, 3, 5, 10, 30)
_EMOJI = "🔥✨💼📣✅📌💰🙏"
_PHONE = re.compile(r"\+?\d[\d .-]{7,16}\d")
_PIECE = re.compile(r"(?<=[.!?])\s+|\n+")


def typos(text: str, rng: random.Random) -> str:
    letters = list(text)
    for _ in range(max(1, int(len(letters) * rng.choice((0.005, 0.01, 0.02))))):
        i = rng.randrange(len(letters))
        if letters[i].isalpha():
            change = rng.randrange(4)
            if change == 0:
                letters[i] = ""
            elif change == 1:
                letters[i] *= 2
            elif change == 2:
                letters[i] = rng.choice("aeioukrnst")
            elif i + 1 < len(letters):
                letters[i], letters[i + 1] = letters[i + 1], letters[i]
    return "".join(letters)


def emoji(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for _ in range(max(1, len(words) // 12)):
        words.insert(rng.randrange(len(words) + 1), rng.choice(_EMOJI) * rng.randint(1, 3))
    return " ".join(words)


def shortened(text: str, rng: random.Random) -> str:
    """One or two sentences left out, no more than a fifth of the text."""
    pieces = _PIECE.split(text)
    rng.shuffle(order := list(range(len(pieces))))
    room = len(text) // 5
    for i in order[:2]:
        if len(pieces[i]) <= room:
            room -= len(pieces[i])
            pieces[i] = ""
    return "\n".join(p for p in pieces if p)


def figures(text: str, rng: random.Random) -> str:
    return re.sub(r"\d+", lambda m: str(rng.randint(1, 99)) if len(m[0]) < 3 else str(rng.randint(100, 999)), text)


def phone(text: str, rng: random.Random) -> str:
    number = f"08{rng.randint(10, 99)}-0000-{rng.randint(1000, 9999)}"
    changed = _PHONE.sub(number, text)
    return changed if changed != text else f"{text}\nWA {number}"


def shuffled(text: str, rng: random.Random) -> str:
    pieces = _PIECE.split(text)
    rng.shuffle(pieces)
    return "\n".join(pieces)


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (typos, emoji, shortened, figures, phone, shuffled)


def repost(text: str, rng: random.Random) -> str:
    for change in rng.sample(CHANGES, rng.randint(1, 3)):
        text = change(text, rng)
    return text


def plant(rows: list[Row], count: int, seed: int = 1) -> tuple[list[str], list[int]]:
    """Texts, and the number of the original that each is made from."""
    rng = random.Random(seed)
    pieces: dict[str, list[str]] = {}
    for row in rows:
        found = [p.strip() for p in _PIECE.split(body(row.posting)) if 12 <= len(p.strip()) <= 90]
        pieces.setdefault(row.source, []).extend(dict.fromkeys(found))
    sources = sorted(s for s, found in pieces.items() if len(found) > 500)
    weights = [len(pieces[s]) for s in sources]
    texts: list[str] = []
    originals: list[int] = []
    while len(texts) < count:
        drawn = pieces[rng.choices(sources, weights)[0]]
        size, words = rng.randint(MEAN * 2 // 3, MEAN * 4 // 3), ""
        while len(words) < size:
            words += rng.choice(drawn) + "\n"
        number = originals[-1] + 1 if originals else 0
        copies = rng.choice(REPOSTS) if rng.random() < 0.2 else 0
        for text in [words, *(repost(words, rng) for _ in range(copies))]:
            texts.append(text)
            originals.append(number)
    order = list(range(count))
    rng.shuffle(order)
    return [texts[i] for i in order], [originals[i] for i in order]


def pairs(labels: list[object]) -> int:
    return sum(n * (n - 1) // 2 for n in Counter(labels).values())


def measure(data: Path | None, count: int) -> None:
    rows = read_sources(data) if data else [r for f in ("train", "ads") for r in read_samples(ROOT / "data/samples" / f"{f}.csv")]
    texts, originals = plant(rows, count)
    del rows
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    found = group(texts)
    took = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    together = pairs(list(zip(found, originals)))
    precision, recall = together / max(1, pairs(list(found))), together / max(1, pairs(list(originals)))
    length = sum(map(len, texts)) / len(texts)
    print(
        f"{count:>9,} rows of {length:.0f} characters  precision {precision:.4f}  recall {recall:.4f}"
        f"  {took:7.1f} s ({1e6 * took / count:.0f} us a row)  peak {peak:6.0f} MB, {before:.0f} of them for the texts",
        flush=True,
    )


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--million", action="store_true", help="a million rows as well, which takes minutes")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        measure(arguments.data, arguments.one)
        return
    for count in [*arguments.rows, *([1_000_000] if arguments.million else [])]:
        command = [sys.executable, __file__, "--one", str(count)]
        subprocess.run(command + (["--data", str(arguments.data)] if arguments.data else []), check=True)


if __name__ == "__main__":
    main()
