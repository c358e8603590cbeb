"""Scoring a file: order, counts, and the same bytes however the work is cut up. The scorer here is a stand-in."""

from __future__ import annotations

import csv
import gzip
import os
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from jobscam import sorting
from jobscam.errors import ArtifactError, InputError, JobscamError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.posting import Posting
from jobscam.sorting import ExternalSorter
from jobscam.streaming import Progress, Summary, score_table


class FakeScorer:
    """Reads logit or status from the ad itself: ``risk 1.5``, or ``not_an_ad``."""

    def assess_many(self, items: Sequence[Posting]) -> list[Any]:
        return [self._assess(item.description) for item in items]

    def _assess(self, text: str) -> Any:
        scored = text.startswith("risk")
        logit = float(text.split()[1]) if scored else None
        tier = ("high" if logit is not None and logit > 0 else "low") if scored else ""

        def columns(reasons: int, language: str) -> dict[str, str]:
            values = dict.fromkeys(OUTPUT_COLUMNS, "")
            values |= {"jobscam_tier": tier, "jobscam_status": "scored" if scored else text.split()[0], "jobscam_model": "fake-1"}
            values["jobscam_reasons"] = f"{reasons} {language}"
            return values

        return SimpleNamespace(columns=columns, logit=logit, probability=0.5 if scored else None, prevalence=0.1)


class DyingScorer(FakeScorer):
    def assess_many(self, items: Sequence[Posting]) -> list[Any]:
        if any(item.description == "risk die" for item in items):
            raise KeyboardInterrupt
        return super().assess_many([i for i in items if i.description != "risk die"])


def no_scorer() -> FakeScorer:
    raise ArtifactError("no model")


def run(tmp_path: Path, text: str, **options: Any) -> tuple[list[dict[str, str]], Summary]:
    source, target = tmp_path / "ads.csv", tmp_path / "out.csv"
    source.write_text(text, encoding="utf-8", newline="")
    summary = score_table(source, target, options.pop("factory", FakeScorer), **options)
    with target.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream)), summary


MIXED = """id,text
1,risk -1
2,not_an_ad
3,risk 2
4,
5,risk 2
6,warning_or_news
7,risk 3,x
8,not_assessable
9,"risk 0.5
10,risk -9
"""


def test_risk_comes_first_and_counts_add_up(tmp_path: Path) -> None:
    rows, summary = run(tmp_path, MIXED, top=3)
    assert [r["id"] for r in rows] == ["3", "5", "1", "10", "2", "6", "8"]
    assert list(rows[0]) == ["id", "text", *OUTPUT_COLUMNS]
    assert (summary.rows_in, summary.rows_out, summary.rejected) == (10, 7, 3)
    assert summary.by_tier == {"high": 2, "low": 2}
    assert summary.by_status == {"scored": 4, "not_an_ad": 1, "warning_or_news": 1, "not_assessable": 1}
    assert [ad.line for ad in summary.top] == [4, 6, 2]
    assert summary.columns == [("id", "id"), ("text", "description")]
    assert summary.rejects == tmp_path / "out.rejects.csv"
    with summary.rejects.open(newline="") as stream:
        rejected = list(csv.reader(stream))
    assert rejected == [
        ["line", "reason", "raw"],
        ["5", "no text", "4,"],
        ["8", "3 cells where the header has 2", "7,risk 3,x"],
        ["10", "a quote opens here that is never closed", '9,"risk 0.5'],
    ]


def test_order_of_the_input(tmp_path: Path) -> None:
    rows, summary = run(tmp_path, MIXED, order="input", reasons=2, language="en")
    assert [r["id"] for r in rows] == ["1", "2", "3", "5", "6", "8", "10"]
    assert rows[0]["jobscam_reasons"] == "2 en"
    assert [ad.line for ad in summary.top] == [4, 6, 2, 11]


@pytest.mark.parametrize("order", ["risk", "input"])
def test_same_bytes_for_any_chunk_workers_and_run_size(order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(7)
    kinds = ["not_an_ad", "", "risk 1,surplus"] + [f"risk {n / 4}" for n in range(-8, 9)]
    text = "id,text\n" + "".join(f"{i},{dice.choice(kinds)}\n" for i in range(700))
    seen = set()
    for workers, chunk, run_bytes in [(1, 256, 1 << 26), (1, 1, 1 << 26), (1, 97, 3000), (2, 50, 400), (2, 13, 1 << 26)]:
        monkeypatch.setattr(sorting, "_RUN_BYTES", run_bytes)
        _, summary = run(tmp_path, text, workers=workers, chunk=chunk, order=order)
        files = [(tmp_path / name).read_bytes() for name in ("out.csv", "out.rejects.csv")]
        seen.add((*files, summary.rows_in, summary.rows_out, tuple(summary.top)))
        assert sorted(os.listdir(tmp_path)) == ["ads.csv", "out.csv", "out.rejects.csv"]
    assert len(seen) == 1


def test_sorter_merges_runs_in_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_FAN_IN", 3)
    numbers = list(range(500))
    random.Random(3).shuffle(numbers)
    with ExternalSorter(tmp_path, run_bytes=1000) as sorter:
        for n in numbers:
            sorter.add((0, float(-n), n), str(n).encode())
        (folder,) = tmp_path.iterdir()
        assert len(list(folder.iterdir())) < 15
        assert [int(record) for record in sorter] == sorted(numbers, reverse=True)
    assert not list(tmp_path.iterdir())


def test_columns_of_an_earlier_run_are_replaced(tmp_path: Path) -> None:
    text = "jobscam_tier,text,jobscam_campaign,jobscam_model\nold,risk 1,c1,old-1\n"
    rows, summary = run(tmp_path, text)
    assert list(rows[0]) == ["text", "jobscam_campaign", *OUTPUT_COLUMNS]
    assert (rows[0]["jobscam_tier"], rows[0]["jobscam_campaign"]) == ("high", "c1")
    assert any("jobscam_tier, jobscam_model" in note for note in summary.notes)
    first = (tmp_path / "out.csv").read_bytes()
    score_table(tmp_path / "out.csv", tmp_path / "again.csv", FakeScorer)
    assert (tmp_path / "again.csv").read_bytes() == first


def test_cells_are_untouched(tmp_path: Path) -> None:
    text = 'a,text,b\n"x\r\ny",risk 1,"  q"" "\n\0,"risk 0",\U0001f600é\n'
    rows, _ = run(tmp_path, text)
    assert [(r["a"], r["b"]) for r in rows] == [("x\r\ny", '  q" '), ("\0", "\U0001f600é")]


def test_limit_progress_and_header_only(tmp_path: Path) -> None:
    seen: list[Progress] = []
    started: list[Summary] = []
    text = "text\n" + "risk 1\n" * 100
    rows, summary = run(tmp_path, text, chunk=10, limit=25, on_progress=seen.append, on_start=started.append)
    assert len(rows) == summary.rows_in == 25
    assert [p.rows for p in seen] == [10, 20, 25]
    assert seen[-1].bytes_total == len(text)
    assert started == [summary]
    rows, summary = run(tmp_path, "text\n")
    assert (rows, summary.rows_in, summary.rejects) == ([], 0, None)
    assert (tmp_path / "out.csv").read_text().startswith("text,jobscam_probability")


def test_formats_follow_the_names(tmp_path: Path) -> None:
    source = tmp_path / "ads.tsv"
    source.write_text("id\ttext\n1\trisk 1\n")
    score_table(source, tmp_path / "out.tsv.gz", FakeScorer)
    assert gzip.decompress((tmp_path / "out.tsv.gz").read_bytes()).startswith(b"id\ttext\tjobscam_probability")


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("no,column\n1,2\n", {}, r"ads\.csv: no column holds the text"),
        ("text\nx\n", {"overrides": {"description": "isi"}}, "no such column"),
        ("text\nx\n", {"workers": 0}, "workers must be at least 1"),
        ("text\nx\n", {"order": "other"}, "order must be"),
        ("", {}, "is empty"),
    ],
)
def test_refused(text: str, options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        run(tmp_path, text, **options)
    assert os.listdir(tmp_path) == ["ads.csv"]


def test_input_is_not_overwritten(tmp_path: Path) -> None:
    source = tmp_path / "ads.csv"
    source.write_text("text\nrisk 1\n")
    (tmp_path / "link.csv").symlink_to(source)
    with pytest.raises(InputError, match="is the input itself"):
        score_table(source, tmp_path / "link.csv", FakeScorer)


@pytest.mark.parametrize("order", ["risk", "input"])
def test_interruption_leaves_nothing(order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "_RUN_BYTES", 500)
    target = tmp_path / "out.csv"
    target.write_text("from before")
    text = "id,text\n1,\n" + "2,risk 1\n" * 50 + "3,risk die\n"
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, text, factory=DyingScorer, chunk=5, order=order)
    assert sorted(os.listdir(tmp_path)) == ["ads.csv", "out.csv"]
    assert target.read_text() == "from before"


@pytest.mark.parametrize("workers", [1, 2])
def test_a_model_that_does_not_load_is_reported_as_such(workers: int, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="no model"):
        run(tmp_path, "text\nrisk 1\n", factory=no_scorer, workers=workers)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_row_that_cannot_be_scored_is_a_reject(workers: int, tmp_path: Path) -> None:
    text = "text\n" + "risk 1\n" * 7 + 'risk many\n""\n' + "risk 2\n" * 7
    seen = set()
    for chunk in (5, 100) if workers > 1 else (1, 5, 100):
        rows, summary = run(tmp_path, text, workers=workers, chunk=chunk)
        assert [r["text"] for r in rows] == ["risk 2"] * 7 + ["risk 1"] * 7
        assert (summary.rows_in, summary.rows_out, summary.rejected) == (16, 14, 2)
        seen.add((tmp_path / "out.rejects.csv").read_text())
    assert seen == {
        "line,reason,raw\n9,could not be scored: ValueError: could not convert string to float: 'many',risk many\n10,no text,\n"
    }


def test_short_memory_is_no_fault_of_a_row(tmp_path: Path) -> None:
    class Hungry(FakeScorer):
        def assess_many(self, items: Sequence[Posting]) -> list[Any]:
            raise MemoryError

    with pytest.raises(JobscamError, match="not enough memory; use fewer workers"):
        run(tmp_path, "text\nrisk 1\n", factory=Hungry)
    assert os.listdir(tmp_path) == ["ads.csv"]


@pytest.mark.parametrize(
    ("row", "words", "workers"),
    [
        ("x,y,z", r"ads\.csv, line 9 \(row 8\): 3 cells where the header has 2", 1),
        ('1,"', r"line 9 \(row 8\): a quote opens here", 1),
        ("1, ", r"line 9 \(row 8\): no text in column 'text'", 1),
        ("1,risk many", r"line 9 \(row 8\): could not be scored: ValueError: could not convert", 1),
        ("1,risk many", r"line 9 \(row 8\): could not be scored: ValueError: could not convert", 2),
    ],
)
def test_strict_stops_at_the_first_bad_row(row: str, words: str, workers: int, tmp_path: Path) -> None:
    text = "id,text\n" + "1,risk 1\n" * 7 + row + "\n" + "2,risk 2\n" * 3 + "3, \n"
    with pytest.raises(InputError, match=words):
        run(tmp_path, text, strict=True, workers=workers, chunk=5)
    assert os.listdir(tmp_path) == ["ads.csv"]
