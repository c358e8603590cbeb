"""Every kind of bad row, planted among good ones: nothing is lost, counts add up, and no good row is read differently."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jobscam.errors import InputError
from jobscam.explain import OUTPUT_COLUMNS
from jobscam.scoring import Scorer

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
from faults import FAULTS, Planted, plant, scored

REJECTED = {"quote never closed", "too many cells", "no text", "blanks only"}


@pytest.fixture(scope="module")
def planted() -> Planted:
    return plant(120, 0.02)


def test_faults_cost_no_good_row(scorer: Scorer, planted: Planted, tmp_path: Path) -> None:
    clean, expected, _ = scored(tmp_path, "clean", planted.clean, order="input")
    summary, rows, rejects = scored(tmp_path, "faulty", planted.faulty, order="input", chunk=50)
    assert (clean.rows_in, clean.rejected) == (len(planted.good), 0)
    assert summary.rows_in == summary.rows_out + summary.rejected == len(planted.good) + len(planted.bad)
    assert (summary.rows_out, summary.rejected) == (len(rows), len(rejects))
    assert [r for r in rows if r["id"] in set(planted.good)] == expected
    assert len(planted.bad) == 2 * len(FAULTS)
    written = {r["id"]: r for r in rows}
    for name, kind in planted.bad.items():
        told = [r for r in rejects if name in r["raw"]]
        assert (len(told), name in written) == ((1, False) if kind in REJECTED else (0, True)), (name, kind)
    assert {r["jobscam_model"] for r in rows} == {scorer.name}
    assert all(set(OUTPUT_COLUMNS) <= set(r) and None not in r and None not in r.values() for r in rows)


def test_strict_names_the_first(scorer: Scorer, planted: Planted, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"faulty\.csv, line \d+ \(row \d+\): .*--strict"):
        scored(tmp_path, "faulty", planted.faulty, strict=True)
    assert [path.name for path in tmp_path.iterdir()] == ["faulty.csv"]
