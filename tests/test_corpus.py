"""The corpus: provenance, splits that cut no campaign, and ads as sources without metadata would have them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from jobscam import corpus, training
from jobscam.model.classifier import JobScamClassifier
from jobscam.posting import METADATA_FIELDS, ColumnMap, Posting

SAMPLES = Path(__file__).parent.parent / "data" / "samples"


def test_authored_ads_are_many_and_balanced() -> None:
    rows = [r for r in corpus.read(None, SAMPLES) if r.status == "scored"]
    scams = [r for r in rows if r.label]
    assert len(rows) >= 1500
    assert 0.4 < len(scams) / len(rows) < 0.6
    assert sum(r.kind.startswith("overseas") for r in scams) >= 500
    assert len({r.register for r in rows}) >= 9


def test_no_campaign_and_no_near_duplicate_straddles_the_split() -> None:
    rows = corpus.read(None, SAMPLES)
    parts: dict[str, set[str]] = {}
    for row in rows:
        parts.setdefault(row.campaign, set()).add(row.part)
    assert not {c: p for c, p in parts.items() if len(p) > 1}
    straddling = [(a, b) for a, b, _ in corpus.near_duplicates(rows, 0.3) if rows[a].part != rows[b].part]
    assert not straddling


def test_ids_are_unique_and_contacts_fictitious() -> None:
    rows = corpus.read(None, SAMPLES)
    ids = Counter(r.posting.id for r in rows)
    assert max(ids.values()) == 1


def test_near_duplicates_are_found() -> None:
    ad = "Dicari kasir toko bangunan di Depok jujur rajin gaji dua juta lima ratus ribu antar lamaran langsung ke toko"
    rows = [
        corpus.Row(Posting(description=t), 0, "x", str(i), "train", "")
        for i, t in enumerate((ad, ad + " ya", "lain sama sekali " * 4))
    ]
    assert [(a, b) for a, b, _ in corpus.near_duplicates(rows)] == [(0, 1)]


def test_table_has_provenance_and_no_words() -> None:
    table = corpus.table(corpus.read_samples(SAMPLES / "ads.csv"))
    assert set(table["part"]) == {"dev"} and set(table["source"]) == {"authored"}
    assert "description" not in table.columns and "text" not in table.columns


CASES = [
    (["text", "company", "benefits"], ["Dicari kasir", "Toko Jaya", ""], ("benefits",)),  # the employer left it out
    (["text", "company", "benefits"], ["Dicari kasir", "", ""], ()),  # a post lumped together with job-board ads
    (["text", "company"], ["Dicari kasir", "Toko Jaya"], ()),  # the source has no such field
]  # fmt: skip


@pytest.mark.parametrize(("header", "cells", "blank"), CASES)
def test_left_blank_is_not_the_same_as_not_there(header: list[str], cells: list[str], blank: tuple[str, ...]) -> None:
    assert ColumnMap.from_header(header).posting(cells).blank == blank
    assert Posting.from_mapping(dict(zip(header, cells, strict=True))).blank == blank


def test_copies_lack_fields_and_know_their_original() -> None:
    rows = corpus.read_samples(SAMPLES / "ads.csv")[:60]
    used = training.augmented(rows)
    assert len(used.rows) == len(used.copy_of) > len(rows)
    for row, origin in zip(used.rows, used.copy_of, strict=True):
        if origin >= 0:
            assert row.campaign == rows[origin].campaign
            assert not any(getattr(row.posting, n) and not getattr(rows[origin].posting, n) for n in METADATA_FIELDS)


def test_folds_leave_out_whole_sources_and_families_and_cut_no_campaign() -> None:
    rows = [r for r in corpus.read(None, SAMPLES) if r.status == "scored"]
    fold = training.folds(rows)
    by_campaign: dict[str, set[int]] = {}
    by_kind: dict[str, set[int]] = {}
    for row, number in zip(rows, fold.tolist(), strict=True):
        by_campaign.setdefault(row.group, set()).add(number)
        if row.label and row.campaign == row.posting.id:
            by_kind.setdefault(row.kind, set()).add(number)
    assert all(len(numbers) == 1 for numbers in by_campaign.values())
    assert set(by_kind) <= {kind for kinds in training.FAMILIES.values() for kind in kinds}
    assert all(len(numbers) == 1 for numbers in by_kind.values())


def test_steadiness_keeps_bare_copies_of_honest_ads_close() -> None:
    rows = [r for r in corpus.read_samples(SAMPLES / "ads.csv") if r.status == "scored"]
    used = training.augmented(rows)
    honest = np.flatnonzero((used.copy_of >= 0) & ~np.array([bool(r.label) for r in used.rows]))

    def change(steadiness: float) -> float:
        classifier = JobScamClassifier(bits=14, folds=0, steadiness=steadiness)
        postings, labels = [r.posting for r in used.rows], [r.label for r in used.rows]
        logit = classifier.fit(postings, labels, copy_of=used.copy_of).decision_function(postings)
        return float(np.abs(logit[honest] - logit[used.copy_of[honest]]).mean())

    assert change(1.0) < 0.8 * change(0.0)
