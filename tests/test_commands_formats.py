"""Each command with each format it may be given."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jobscam.cli.app import app
from jobscam.io import Row, create_table, open_table
from jobscam.labelled import read_labelled
from jobscam.model import artifact

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.skipif(not artifact.list_artifacts(), reason="no shipped model in models/ yet")
SAMPLES = Path(__file__).parent.parent / "data" / "samples" / "train.csv"
SUFFIXES = (".csv", ".tsv.zst", ".jsonl", ".ndjson.gz", ".csv.zip", ".parquet", ".xlsx")
run = CliRunner().invoke


@pytest.fixture(scope="module")
def rows() -> list[list[str]]:
    with SAMPLES.open(encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream))
    chosen = [r for label in ("scam", "legit") for r in [r for r in found if r["label"] == label][:12]]
    made = [[str(i), r["text"], r["label"]] for i, r in enumerate(chosen)]
    made[3][1] = "- " + made[3][1]
    made[4][1] = "=Loker\r\n" + made[4][1]
    return [["no", "isi iklan", "label"], *made]


@pytest.fixture
def table(rows: list[list[str]], tmp_path: Path) -> Callable[..., Path]:
    def make(suffix: str, labelled: bool = False) -> Path:
        path = tmp_path / "in" / f"ads{suffix}"
        path.parent.mkdir(exist_ok=True)
        # Nothing here was written by jobscam before: an apostrophe would belong to the ad.
        with create_table(path, raw_cells=True) as out:
            for row in rows:
                out.write(row if labelled else row[:2])
        return path

    return make


def done(*arguments: object, code: int = 0) -> str:
    result = run(app, [str(a) for a in arguments])
    assert result.exit_code == code, result.output
    return result.output


def cells(path: Path) -> list[list[str]]:
    with open_table(path) as found:
        return [found.header, *(row.cells for row in found if isinstance(row, Row))]


COMMANDS = {
    "score": ("-o", "OUT.csv"),
    "campaigns": ("-o", "OUT.csv", "--min-size", "1"),
    "queue": ("-o", "OUT.csv", "--n", "5"),
    "report": ("-o", "OUT.html"),
}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_say_the_same_whatever_the_format(command: str, table: Callable[..., Path], tmp_path: Path) -> None:
    results = set()
    for suffix in SUFFIXES:
        options = [str(tmp_path / o) if o.startswith("OUT") else o for o in COMMANDS[command]]
        done(command, table(suffix), *options)
        made = Path(options[1])
        text = made.read_text(encoding="utf-8")
        # Lines of text files begin below the header, rows of the others at one; the page names its table.
        text = re.sub(r'"?ads\.[a-z.]+', "ads", text) if command == "report" else text
        if command == "campaigns":
            text = "\n".join(",".join(row[:12]) for row in cells(made))
        if command == "report":
            text = re.sub(r'"n":\d+', "", text)
        results.add(re.sub(r'"(digest|k)":"\w+"', "", text))
    assert len(results) == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_scores_go_out_and_in_again_in_each_format(suffix: str, table: Callable[..., Path], tmp_path: Path) -> None:
    done("score", table(".csv"), "-o", tmp_path / "wanted.csv")
    done("score", table(".csv"), "-o", tmp_path / f"out{suffix}")
    wanted, found = cells(tmp_path / "wanted.csv"), cells(tmp_path / f"out{suffix}")
    at = wanted[0].index("jobscam_probability")
    for row in (*wanted[1:], *found[1:]):
        row[at] = f"{float(row[at]):.6f}" if row[at] else ""
    assert found == wanted
    assert any(row[1].startswith("=Loker\r\n") for row in found)
    # What was scored is scored again to the same bytes, marks and all.
    done("score", tmp_path / f"out{suffix}", "-o", tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "wanted.csv").read_bytes()
    done("queue", tmp_path / f"out{suffix}", "-o", tmp_path / "queue.csv", "--n", "24")
    chosen = {row[1] for row in cells(tmp_path / "queue.csv")}
    assert chosen <= {row[1] for row in wanted}
    assert any(text.startswith("=Loker") for text in chosen)


def test_raw_cells(table: Callable[..., Path], tmp_path: Path) -> None:
    done("score", table(".csv"), "-o", tmp_path / "marked.csv")
    done("score", table(".csv"), "-o", tmp_path / "raw.csv", "--raw-cells")
    marked, raw = ((tmp_path / name).read_text(encoding="utf-8") for name in ("marked.csv", "raw.csv"))
    assert ",\"'=Loker" in marked
    assert ',"=Loker' in raw
    assert marked.replace("'=Loker", "=Loker").replace(",'- ", ",- ").replace("\"'- ", '"- ') == raw


@pytest.mark.parametrize("suffix", [".jsonl", ".xlsx"])
def test_drift_and_default_names(suffix: str, table: Callable[..., Path], tmp_path: Path) -> None:
    path = table(suffix)
    assert json.loads(done("drift", path, table(".parquet"), "--json", "--phrases", "0").split("Note:")[0])["psi"] == 0
    done("score", path, "-q")
    assert (path.parent / "ads.scored.csv").exists()
    done("campaigns", path.parent / "ads.scored.csv", "-q")
    assert (path.parent / "ads.scored.campaigns.csv").exists()


def test_a_folder_with_a_broken_file(rows: list[list[str]], table: Callable[..., Path], tmp_path: Path) -> None:
    folder = table(".csv").parent
    table(".xlsx")
    (folder / "broken.parquet").write_bytes(b"PAR1")
    said = done("score", folder, code=3)
    count = len(rows) - 1
    assert f"{2 * count + 1} rows read = {2 * count} written to {tmp_path / 'in.scored.csv'} + 1 rejected" in said
    found = cells(tmp_path / "in.scored.csv")
    assert [row[2] for row in found[1:]].count(str(folder / "ads.xlsx")) == count
    assert found[0][2:4] == ["jobscam_file", "jobscam_line"]
    rejects = cells(tmp_path / "in.scored.rejects.csv")
    assert rejects[1][1].startswith(f"{folder / 'broken.parquet'}: not read at all: ")
    # A second run does not read what the first one wrote.
    before = (tmp_path / "in.scored.csv").read_bytes()
    done("score", folder, "-o", folder / "ads.scored.csv", code=3)
    done("score", f"{folder}/*", "-o", tmp_path / "again.csv", code=3)
    assert (tmp_path / "again.csv").read_bytes() == before
    done("score", folder, "-o", folder / "ads.csv", code=1)


def test_labels_are_the_same_whatever_the_format(table: Callable[..., Path]) -> None:
    found = [read_labelled(table(suffix, labelled=True)) for suffix in SUFFIXES]
    assert len({repr((f.column, f.columns, [(ad.posting, ad.label) for ad in f.ads], f.rejects)) for f in found}) == 1
    assert len(found[0].ads) == 24


def test_train(table: Callable[..., Path], tmp_path: Path) -> None:
    done("train", table(".parquet", labelled=True), "--out", tmp_path / "mine-1.0.0", "--doubtful", tmp_path / "doubtful.xlsx")
    assert (tmp_path / "mine-1.0.0" / "manifest.json").exists()
    assert cells(tmp_path / "doubtful.xlsx")[0] == ["line", "label", "log_odds", "text"]
