"""The README tells what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobscam.explain import CAMPAIGN_COLUMN, OUTPUT_COLUMNS

ROOT = Path(__file__).parent.parent


def test_readme_lists_the_output_columns_in_order() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    listed = [line.split("`")[1] for line in lines if line.startswith("| `jobscam_")]
    assert listed == [*OUTPUT_COLUMNS[:-1], CAMPAIGN_COLUMN, OUTPUT_COLUMNS[-1]]


@pytest.mark.parametrize("page", ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))])
def test_pictures_are_there_small_and_described(page: str) -> None:
    for alt, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", (ROOT / page).read_text(encoding="utf-8")):
        picture = (ROOT / page).parent / target
        assert alt and picture.stat().st_size < 300_000, target


def test_no_picture_is_left_over() -> None:
    pages = "".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    assert [path.name for path in sorted((ROOT / "docs" / "images").iterdir()) if path.name not in pages] == []


def test_readme_names_both_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text and "make test" in text


def test_the_page_on_indicators_is_what_its_script_prints(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("price_parser", reason="the page compares with libraries of the extra 'measure'")
    script = ROOT / "scripts" / "measure_indicators.py"
    subprocess.run(
        [sys.executable, script, "--data", shared, "--out", tmp_path / "page.md"], check=True, stdout=subprocess.DEVNULL
    )
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == (ROOT / "docs" / "indicators.md").read_text(encoding="utf-8")
