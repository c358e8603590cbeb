"""What a spreadsheet would run is made inert, what it would not is left alone, and reading gives back what was written."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import jobscam
from jobscam.io import create_table, open_table
from jobscam.io.inert import FORMULA, HARMLESS, marked, runs, unmarked

RUNS = [
    "=1+1", "=cmd|' /C calc'!A0", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "@SUM(1+1)*cmd|' /C calc'!A0", "\t=1", "\rx",
    "＝1+1", "＋1", "－A1", "＠SUM(1)", " =1", "\n=1", "\u00a0=1", "\u200b=1", "\ufeff=1", "\x00=1", "'=1", "''=1", "- gaji tinggi",
    "+62-812-0000-0000", "-5-3", "+A1", "@akun", "=", "+62 812 A1", "-1e5", "+62 812\n=1", "+62\t0000",
]  # fmt: skip
LEFT = [
    "", "x", "gaji = 5jt", "-5", "+5", "-1.500.000,00", "-12%", "-", "---", "+62 812 0000 0000", "+62 812-0000-0000", "+855 (0) 12 000",
    "+6281200000000", "'", "'quoted'", "1=1", "a@b.example", "'-5", "*", "•", "(=1)",
]  # fmt: skip
STATE = (Path(jobscam.__file__).parent / "report" / "template" / "state.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("cell", RUNS)
def test_formulas_are_marked(cell: str) -> None:
    assert runs(cell)
    assert marked(cell) == "'" + cell
    assert unmarked(marked(cell)) == cell


@pytest.mark.parametrize("cell", LEFT)
def test_ordinary_cells_are_left_alone(cell: str) -> None:
    assert not runs(cell)
    assert marked(cell) == cell == unmarked(cell)


@given(st.text() | st.text(st.sampled_from("'=+-@\t\r\n ＝1a,.(|\ufeff")))
@example("'=")
@example("''-5")
def test_no_cell_runs_and_each_comes_back(cell: str) -> None:
    shown = marked(cell)
    assert shown == cell or shown.startswith("'")
    assert unmarked(shown) == cell
    bare = shown.lstrip("".join(map(chr, range(0x21))) + "\u00a0\u200b\ufeff\u3000")
    if bare.startswith(("=", "@", "＝", "＋", "－", "＠")) or shown.startswith(("\t", "\r")):
        raise AssertionError(shown)
    if bare.startswith(("+", "-")):
        assert not re.search("[^0-9 .,()%/+-]", bare), "a name, a function or a command"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_page_has_the_same_rule() -> None:
    code = "\n".join(re.findall(r"^(?:const (?:FORMULA|HARMLESS)|function inert).*$", STATE, re.MULTILINE))
    cells = [*RUNS, *LEFT, *(chr(c) + "=1" for c in range(0x3100)), "\ufeff=1", "\uff1d"]
    script = f"{code}\nconsole.log(JSON.stringify({json.dumps(cells)}.map(inert)))"
    found = subprocess.run(["node", "-"], input=script, capture_output=True, check=True, text=True, encoding="utf-8")
    assert json.loads(found.stdout) == [marked(cell) for cell in cells]


def test_the_rule_of_the_page_is_written_as_ours() -> None:
    for name, rule in (("FORMULA", FORMULA), ("HARMLESS", HARMLESS)):
        line = re.search(rf"^const {name} = /\^(.*)/;$", STATE, re.MULTILINE)
        assert line is not None
        theirs = line[1].removesuffix(")$").removeprefix("(?:") if name == "HARMLESS" else line[1]
        assert theirs.replace("\\t\\r", "\t\r") in (rule.pattern.replace("\\t\\r", "\t\r"), rule.pattern)


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_tables(suffix: str, tmp_path: Path) -> None:
    cells = [[cell] for cell in [*RUNS, *LEFT]]
    for name, raw, expected in (("a", False, [[marked(c[0])] for c in cells]), ("b", True, cells)):
        with create_table(tmp_path / f"{name}{suffix}", raw_cells=raw) as out:
            for row in [["=jobscam"], *cells]:
                out.write(row)
        with (tmp_path / f"{name}{suffix}").open(encoding="utf-8", newline="") as stream:
            found = list(csv.reader(stream, delimiter="\t" if suffix == ".tsv" else ","))
        assert found == [["=jobscam" if raw else "'=jobscam"], *expected]


@pytest.mark.parametrize(("column", "text"), [("jobscam_tier", "=1"), ("labelled_by_hand", "=1"), ("sumber", "'=1")])
def test_marks_are_taken_away_in_our_own_tables_only(column: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f"text,{column}\n'=1,x\n")
    with open_table(tmp_path / "t.csv") as table:
        assert [row.cells for row in table] == [[text, "x"]]  # type: ignore[union-attr]
