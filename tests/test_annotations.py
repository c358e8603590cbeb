"""The annotations hold no words and fit the ads; the measuring of them counts rightly."""

from __future__ import annotations

import csv
import importlib.util
import re
import sys
from pathlib import Path

import pytest

from jobscam.corpus import SOURCES, read_sources
from jobscam.indicators.reference import PayReference, PaySample
from jobscam.posting import READ_FIELDS

ROOT = Path(__file__).parents[1]
_spec = importlib.util.spec_from_file_location("measure_indicators", ROOT / "scripts" / "measure_indicators.py")
assert _spec and _spec.loader
measure = importlib.util.module_from_spec(_spec)
sys.modules["measure_indicators"] = measure
_spec.loader.exec_module(measure)

VALUE = re.compile(r"|[A-Z]{2}|UMR|ad|warning|other|phone|email|link|handle|[\d.]*-[\d.]* [A-Z]{3,4}\??\s\w+\??")
WHAT = {"type", "salary", "work", "office", "transit", "denied", "contact", "licence", "fee", "no_fee"}


def lines() -> list[dict[str, str]]:
    with (ROOT / "data" / "annotations" / "real_ads.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_annotations_hold_offsets_and_values_only() -> None:
    found = lines()
    assert len({(r["source"], r["row"]) for r in found}) >= 400
    for row in found:
        assert row["half"] in measure.SAMPLES and row["what"] in WHAT
        assert row["source"] in {s.name for s in SOURCES}
        assert row["field"] in ("", *READ_FIELDS)
        assert VALUE.fullmatch(row["value"]), row


def test_no_ad_is_in_two_samples() -> None:
    halves: dict[tuple[str, str], set[str]] = {}
    for row in lines():
        halves.setdefault((row["source"], row["row"]), set()).add(row["half"])
    assert all(len(names) == 1 for names in halves.values())


def test_offsets_lie_in_the_ads(shared: Path) -> None:
    numbered: dict[str, list[object]] = {}
    for row in read_sources(shared):
        numbered.setdefault(row.source, []).append(row.posting)
    for line in lines():
        posting = numbered[line["source"]][int(line["row"])]
        if line["field"]:
            assert 0 <= int(line["start"]) < int(line["end"]) <= len(getattr(posting, line["field"]))


@pytest.mark.parametrize(
    ("gold", "found", "same"),
    [
        ("3000000-5000000 IDR month?", "3000000.00-5000000.00 IDR month", True),
        ("3000000-5000000 IDR month?", "3000000.00-5000000.00 IDR day", True),
        ("3000000-5000000 IDR month", "3000000.00-5000000.00 IDR day", False),
        ("3000000-5000000 IDR month", "3000000.00-4000000.00 IDR month", False),
        ("5000000- IDR month?", "5000000.00-5000000.00 IDR month", False),
        ("-5000000 IDR month?", "-5000000.00 IDR month", True),
        ("100-200 USD? day", "100.00-200.00 SGD day", True),
        ("100-200 USD day", "100.00-200.00 SGD day", False),
        ("UMR", "UMR", True),
        ("UMR", "1.00-2.00 IDR month", False),
    ],
)
def test_pay_agrees_only_if_all_of_it_does(gold: str, found: str, same: bool) -> None:
    assert measure.same_pay(measure.Mark("description", 0, 5, gold), measure.Mark("description", 0, 5, found)) is same


def test_each_mark_is_paired_once() -> None:
    score = measure.Score()
    gold = [measure.Mark("title", 0, 4), measure.Mark("title", 10, 14)]
    found = [measure.Mark("title", 2, 6), measure.Mark("title", 3, 5), measure.Mark("salary", 10, 14)]
    measure.compare(gold, found, lambda g, f: True, score)
    assert (score.right, score.spurious, score.missed) == (1, 2, 1)


def test_pay_reference_draws_few_ads_to_the_wider_cell() -> None:
    office = [PaySample(4e6, "office", "dki jakarta", "secondary")] * 200
    reference = PayReference.learn([*office, *[PaySample(40e6, "it", "bali", "degree")] * 3])
    expected = reference.expected("it", "bali")
    assert expected is not None and 4e6 < expected[0] < 20e6 and expected[1] == 3
    assert reference.expected("unknown", "") == (pytest.approx(4e6, rel=0.01), 203)
    assert reference.for_education("degree") and not reference.for_education("none")
    assert PayReference.from_json(reference.as_json()) == reference
    assert PayReference.from_json(None).expected("office", "") is None
