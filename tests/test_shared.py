"""The real sources, where they are at hand: read without a hand-written mapping, and no encoding tells the label."""

from __future__ import annotations

from pathlib import Path

import pytest

from jobscam.corpus import SOURCES, read_sources
from jobscam.scoring import Scorer
from jobscam.streaming import score_table
from jobscam.text import Normaliser


@pytest.mark.parametrize("source", SOURCES, ids=lambda s: s.name)
def test_every_file_is_scored_without_a_mapping(shared: Path, scorer: Scorer, tmp_path: Path, source) -> None:  # type: ignore[no-untyped-def]
    summary = score_table(shared / source.file, tmp_path / "out.csv", lambda: scorer, limit=120)
    assert summary.rows_in == summary.rows_out + summary.rejected
    assert summary.rows_out == sum(summary.by_status.values())
    assert summary.by_status["scored"] >= 0.9 * summary.rows_out


def test_damage_by_encoding_does_not_tell_the_label(shared: Path, normaliser: Normaliser) -> None:
    """What a spreadsheet left of quotes and bullets must not survive normalising in one class only."""
    rows = [r for r in read_sources(shared) if r.source == "emscad"]
    left = {0: 0, 1: 0}
    for row in rows:
        norm = normaliser.read(row.posting.text()).norm
        left[row.label] += any(c in norm for c in "€¢¦Ãâ")
    share = {label: left[label] / sum(r.label == label for r in rows) for label in left}
    assert abs(share[0] - share[1]) < 0.02, share
