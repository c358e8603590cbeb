"""The README tells what the program does."""

from __future__ import annotations

from pathlib import Path

from jobscam.explain import CAMPAIGN_COLUMN, OUTPUT_COLUMNS

ROOT = Path(__file__).parent.parent


def test_readme_lists_the_output_columns_in_order() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    listed = [line.split("`")[1] for line in lines if line.startswith("| `jobscam_")]
    assert listed == [*OUTPUT_COLUMNS[:-1], CAMPAIGN_COLUMN, OUTPUT_COLUMNS[-1]]


def test_readme_names_both_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text and "make test" in text
