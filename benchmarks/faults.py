"""What bad rows cost: plants every kind of fault among ads, scores the table with and without them, and counts.

    python benchmarks/faults.py [--rows 2000] [--share 0.01] [--runs 3] [--leave-out "a megabyte"]

The ads are the authored samples. Clean and faulty runs take turns, so that both meet the same machine, and
processor time is what is measured.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NamedTuple

from jobscam.streaming import Summary, score_table

ROOT = Path(__file__).parents[1]
HEADER = ("id", "title", "location", "text")


def row(*cells: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def in_text(change: Callable[[str], str]) -> Callable[[str, str], bytes]:
    return lambda name, text: row(name, "Lowongan", "Depok", change(text)).encode("utf-8", "surrogatepass")


def middle(text: str, planted: str) -> str:
    return text[: len(text) // 2] + planted + text[len(text) // 2 :]


def bare(text: str) -> str:
    return re.sub(r'[,"\r\n]+', " ", text)


FAULTS: dict[str, Callable[[str, str], bytes]] = {
    "quote never closed": lambda name, text: f'{name},Lowongan,Depok,"{bare(text)}\n'.encode(),
    "quotes not doubled": lambda name, text: f'{name},Lowongan,Depok,"gaji "besar" {bare(text)}"\n'.encode(),
    "quote in a bare cell": lambda name, text: f'{name},Lowongan 5" ,Depok,{bare(text)}\n'.encode(),
    "too few cells": lambda name, text: f"{name},{bare(text)}\n".encode(),
    "too many cells": lambda name, text: row(name, "Lowongan", "Depok", text, "more", "and more").encode(),
    "NUL": in_text(lambda text: middle(text, "\0\0")),
    "not UTF-8": lambda name, text: f"{name},Lowongan,Depok,{bare(text)} ".encode() + b"caf\xe9 \x81\xff\xfe\n",
    "no text": lambda name, text: f"{name},,Depok,\n".encode(),
    "blanks only": lambda name, text: f"{name}, ,Depok, \t\u00a0\u200b \n".encode(),
    "a megabyte": in_text(lambda text: text + " gaji besar" * 95_000),
    "lone CR": lambda name, text: f"{name},Lowongan,Depok,{middle(bare(text), chr(13))}\n".encode(),
    "CRLF": lambda name, text: f"{name},Lowongan,Depok,{bare(text)}\r\n".encode(),
    "mojibake": in_text(lambda text: ("Kafé – " + text).encode().decode("cp1252", "replace")),
    "header again": lambda name, text: (",".join((name, *HEADER[1:])) + "\n").encode(),
    "lines in a cell": in_text(lambda text: middle(text, '\n\n- "siap kerja"\r\n,,,\n')),
    "HTML": in_text(lambda text: f"<p onclick='x()'>{text}</p><script>alert(1)</script>&nbsp;&lt;b&gt;"),
    "formula": lambda name, text: row(name, '=HYPERLINK("http://contoh.example","klik")', "@SUM(1+1)", "-" + text).encode(),
    "invisible": in_text(lambda text: "\u202e" + middle(text, "\u200b\u2066\u200f\u2069") + "\u202c\ufeff"),
    "lone surrogate": in_text(lambda text: middle(text, "\ud800")),
}


class Planted(NamedTuple):
    """A clean table, the same with faulty rows among its own, and the names of both kinds of row."""

    clean: bytes
    faulty: bytes
    good: list[str]
    bad: dict[str, str]


def plant(rows: int, share: float = 0.01, seed: int = 1, leave_out: Collection[str] = ()) -> Planted:
    rng = random.Random(seed)
    with (ROOT / "data" / "samples" / "ads.csv").open(encoding="utf-8", newline="") as stream:
        samples = list(csv.DictReader(stream))
    good = [f"g{number:06}" for number in range(rows)]
    pieces = [
        row(name, sample["title"], sample["location"], f"{sample['text']} {name}").encode()
        for name, sample in zip(good, (rng.choice(samples) for _ in good))
    ]
    bad: dict[str, str] = {}
    extra: dict[int, list[bytes]] = {}
    for kind, make in FAULTS.items():
        for _ in range(0 if kind in leave_out else max(1, round(share * rows))):
            name = f"f{len(bad):06}"
            bad[name] = kind
            extra.setdefault(rng.randrange(rows), []).append(make(name, rng.choice(samples)["text"]))
    mixed = [part for number, piece in enumerate(pieces) for part in (*extra.get(number, ()), piece)]
    header = (",".join(HEADER) + "\n").encode()
    return Planted(header + b"".join(pieces), header + b"".join(mixed), good, bad)


def scored(folder: Path, name: str, data: bytes, **options: object) -> tuple[Summary, list[dict[str, str]], list[dict[str, str]]]:
    """Counts, with the processor time in them, rows and rejects of a table."""
    source, target = folder / f"{name}.csv", folder / f"{name}.scored.csv"
    source.write_bytes(data)
    started = time.process_time()
    summary = score_table(source, target, {}, **options)  # type: ignore[arg-type]
    summary.seconds = time.process_time() - started
    csv.field_size_limit(1 << 27)
    found = []
    for path in (target, summary.rejects):
        if path is None:
            found.append([])
            continue
        with path.open(encoding="utf-8", newline="") as stream:
            found.append(list(csv.DictReader(stream)))
    return summary, found[0], found[1]


def main() -> None:
    """Print where each kind of fault went, and what they cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--share", type=float, default=0.01, help="rows of each kind, as a share of the good ones")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--leave-out", nargs="+", default=[], choices=[*FAULTS], metavar="KIND", help='such as "a megabyte"')
    arguments = parser.parse_args()
    planted = plant(arguments.rows, arguments.share, leave_out=arguments.leave_out)
    seconds: dict[str, list[float]] = {"clean": [], "faulty": []}
    with tempfile.TemporaryDirectory() as name:
        for _ in range(arguments.runs):
            for kind, data in (("clean", planted.clean), ("faulty", planted.faulty)):
                summary, rows, rejects = scored(Path(name), kind, data)
                seconds[kind].append(summary.seconds)
    written = {r["id"] for r in rows}
    print(f"{summary.rows_in} rows = {summary.rows_out} written + {summary.rejected} rejected")
    print(f"good rows lost: {len(set(planted.good) - written)}")
    for kind in dict.fromkeys(planted.bad.values()):
        names = [n for n, k in planted.bad.items() if k == kind]
        told = sum(any(n in r["raw"] for r in rejects) for n in names)
        print(f"  {kind:22} {len(names):4} planted  {sum(n in written for n in names):4} scored  {told:4} rejected")
    rates = {kind: statistics.median(seconds[kind]) for kind in seconds}
    for kind, count in (("clean", arguments.rows), ("faulty", summary.rows_in)):
        print(f"{kind:7} {rates[kind]:6.2f} s  {count / rates[kind]:6.0f} rows a second")
    print(f"rate with faults / without: {(summary.rows_in / rates['faulty']) / (arguments.rows / rates['clean']):.2f}")


if __name__ == "__main__":
    main()
