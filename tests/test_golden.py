"""The program on a dirty file, as a user runs it: nothing lost, counts add up, same bytes whatever the circumstances."""

from __future__ import annotations

import csv
import gzip
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jobscam.scoring import Scorer

LURE = "Loker Kamboja, CS, gaji 12jt, tiket & paspor ditanggung, tanpa pengalaman"
HONEST = "Dicari kasir toko di Depok, jujur, gaji 2,5jt, antar lamaran langsung ke toko"
ROWS = [
    f'1,"{HONEST}",ok',
    f'2,"{LURE}",ok',
    "3,,no text",
    '4,"Dibutuhkan waiter\ndi kafe kami,\n""segera"", gaji UMK",newlines and quotes',
    f"5,{HONEST.replace(',', ' ')},long,row,with,more",
    f"6,{HONEST.replace(',', ' ')}",
    "",
    "7,=HYPERLINK(0) dicari admin toko online di Bandung gaji 3jt,formula",
    "8,Dicari \x00 tukang las di Bekasi gaji 150rb/hari,NUL",
    "9,Waspada! Jangan tergiur loker admin judi di Kamboja gaji 15 juta. Korban TPPO sudah banyak. Laporkan ke polisi.,warning",
]


def run(folder: Path, source: Path, *options: str, seed: str = "0") -> tuple[int, bytes, bytes]:
    target = folder / "out.csv"
    command = [sys.executable, "-m", "jobscam", "score", str(source), "-o", str(target), *options]
    done = subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=False)
    assert done.returncode in (0, 3), done.stderr.decode()
    rejects = folder / "out.rejects.csv"
    return done.returncode, target.read_bytes(), rejects.read_bytes() if rejects.exists() else b""


def dirty(folder: Path) -> Path:
    source = folder / "iklan.csv"
    text = "no,isi_iklan,catatan\n" + "\n".join(ROWS) + "\n"
    source.write_bytes(text.encode() + b"10,Dicari koki di caf\xe9 kami di Bandung gaji 3jt,Windows-1252\n")
    return source


def test_same_bytes_whatever_the_circumstances(scorer: Scorer, tmp_path: Path) -> None:
    source = dirty(tmp_path)
    code, first, rejects = run(tmp_path, source)
    assert code == 3
    for options, seed in (
        ([], "1"),
        (["--workers", "2"], "2"),
        (["--chunk", "1"], "3"),
        (["--workers", "2", "--chunk", "3"], "4"),
    ):
        assert run(tmp_path, source, *options, seed=seed) == (3, first, rejects)
    rows = list(csv.DictReader(first.decode("utf-8").splitlines(keepends=True)))
    assert rows[0]["no"] == "2"
    assert rows[0]["jobscam_tier"] in ("high", "critical")
    assert {r["no"] for r in rows} == {"1", "2", "4", "6", "7", "8", "9", "10"}
    assert next(r for r in rows if r["no"] == "9")["jobscam_status"] == "warning_or_news"
    assert "café" in next(r for r in rows if r["no"] == "10")["isi_iklan"]
    found = list(csv.DictReader(rejects.decode("utf-8").splitlines(keepends=True)))
    assert len(found) == 2
    assert all(r["line"] and r["reason"] and r["raw"] for r in found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(scorer: Scorer, tmp_path: Path, encoding: str, separator: str) -> None:
    lines = [("judul", "deskripsi"), ("Kasir café", HONEST.replace(",", " ")), ("CS", LURE.replace(",", " "))]
    source = tmp_path / "ads.csv"
    source.write_bytes("\n".join(separator.join(line) for line in lines).encode(encoding))
    code, out, _ = run(tmp_path, source)
    assert code == 0
    text = out.decode("utf-8")
    assert text.index("Kamboja") < text.index("Kasir café")


def test_ten_megabyte_cell_and_gz(scorer: Scorer, tmp_path: Path) -> None:
    source = tmp_path / "ads.csv.gz"
    with gzip.open(source, "wt", encoding="utf-8") as stream:
        stream.write(f'text\n"{LURE}"\n"{"gaji besar " * 950_000}"\n"{HONEST}"\n')
    code, out, _ = run(tmp_path, source)
    assert code == 0
    csv.field_size_limit(1 << 30)
    assert len(list(csv.reader(out.decode("utf-8").splitlines(keepends=True)))) == 4


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "iklan.csv"), (b"", "empty"), (b"kota,gaji\nDepok,3jt\n", "--map description=")],
    ids=["missing", "empty", "no text column"],
)
def test_clear_errors(tmp_path: Path, content: bytes | None, words: str) -> None:
    source = tmp_path / "iklan.csv"
    if content is not None:
        source.write_bytes(content)
    command = [sys.executable, "-m", "jobscam", "score", str(source), "-o", str(tmp_path / "out.csv")]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert words in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert not (tmp_path / "out.csv").exists()
