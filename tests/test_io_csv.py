"""The CSV reader on dirt as found, the writer, and both together."""

from __future__ import annotations

import codecs
import gzip
import os
import stat
import sys
import tempfile
import time
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jobscam.errors import InputError
from jobscam.io import FORMATS, Row, create_table, open_table
from jobscam.io import csv as csv_module
from jobscam.io import source as source_module
from jobscam.io.csv import CsvReader, CsvWriter
from jobscam.io.rejects import RejectFile, rejects_path
from jobscam.values import Reject

A, B = Row(2, ["1", "x"]), Row(3, ["2", "y"])


def read(data: bytes, tmp_path: Path, name: str = "ads.csv") -> tuple[list[str], list[Row | Reject], str]:
    path = tmp_path / name
    path.write_bytes(data)
    with CsvReader(path) as table:
        rows = list(table)
        return table.header, rows, "\n".join(table.notes)


# name, file, rows, words that the notes hold; the header is `id` and `text` everywhere
OPEN, STRAY = "a quote opens here that is never closed", "stray quotes, kept as text: 1"
DIRT: list[tuple[str, bytes, list[Row | Reject], str]] = [
    ("plain", b"id,text\n1,x\n2,y\n", [A, B], "separator: comma"),
    ("no line end at the end", b"id,text\n1,x\n2,y", [A, B], ""),
    ("crlf", b"id,text\r\n1,x\r\n2,y\r\n", [A, B], ""),
    ("cr cr lf", b"id,text\r\r\n1,x\r\r\n2,y\r\r\n", [A, B], ""),
    ("cr only", b"id,text\r1,x\r2,y\r", [A, B], ""),
    ("cr only, lf in a cell", b'id,text\r1,"a\nb"\r2,y', [Row(2, ["1", "a\nb"]), Row(4, ["2", "y"])], ""),
    ("lone cr in a cell", b"id,text\n1,a\rb\n", [Row(2, ["1", "a\rb"])], ""),
    ("lone cr in a quoted cell", b'id,text\n1,"a\rb\r\nc"\n', [Row(2, ["1", "a\rb\r\nc"])], ""),
    ("utf-8 bom", codecs.BOM_UTF8 + b"id,text\n1,x\n2,y\n", [A, B], "UTF-8-SIG"),
    ("utf-16 le bom", codecs.BOM_UTF16_LE + "id,text\n1,x\n2,y\n".encode("utf-16-le"), [A, B], "UTF-16"),
    ("utf-16 be bom", codecs.BOM_UTF16_BE + "id,text\n1,x\n2,y\n".encode("utf-16-be"), [A, B], "UTF-16"),
    ("utf-16 le bare", "id,text\r\n1,x\r\n2,y\r\n".encode("utf-16-le"), [A, B], "UTF-16-LE"),
    ("utf-16 be bare", "id,text\n1,x\n2,y\n".encode("utf-16-be"), [A, B], "UTF-16-BE"),
    ("utf-16 odd byte", "id,text\n1,x\n2,y".encode("utf-16-le") + b"a", [A, Row(3, ["2", "y\ufffd"])], "decoded: 1"),
    ("windows-1252", b"id,text\n1,caf\xe9 \x96 \x80\n", [Row(2, ["1", "café – €"])], "Windows-1252: 3"),
    ("one bad byte in utf-8", "id,text\n1,é".encode() + b"\x93\n", [Row(2, ["1", "é“"])], "Windows-1252: 1"),
    ("undefined byte", b"id,text\n1,\x81\n", [Row(2, ["1", "\ufffd"])], "Windows-1252: 1"),
    ("utf-8 cut in a character", "id,text\n1,é".encode()[:-1], [Row(2, ["1", "Ã"])], "Windows-1252: 1"),
    ("semicolon", b"id;text\n1;x\n2;y\n", [A, B], "separator: semicolon"),
    ("tab", b"id\ttext\n1\tx\n2\ty\n", [A, B], "separator: tab"),
    ("bar", b"id|text\n1|x\n2|y\n", [A, B], "separator: vertical bar"),
    ("commas in the cells of a semicolon file", b"id;text\n1;a, b, c\n", [Row(2, ["1", "a, b, c"])], "semicolon"),
    ("separator hint", b"sep=;\nid;text\n1;x\n", [Row(3, ["1", "x"])], "semicolon"),
    ("nul", b"id,text\n1,a\x00b\n", [Row(2, ["1", "a\0b"])], ""),
    ("blank lines", b"\n\nid,text\n\n1,x\n  \n\n2,y\n\n", [Row(5, ["1", "x"]), Row(8, ["2", "y"])], "blank lines skipped: 4"),
    ("short row", b"id,text\n1\n2,y\n", [Row(2, ["1", ""]), B], "too few cells, the missing ones read as empty: 1"),
    ("surplus empty cells", b"id,text\n1,x,,\n2,y\n", [A, B], "surplus empty cells, dropped: 1"),
    ("surplus cells", b"id,text\n1,x,z\n2,y\n", [Reject(2, "3 cells where the header has 2", "1,x,z"), B], ""),
    ("line break in a cell", b'id,text\n1,"a\n\nb"\n2,y\n', [Row(2, ["1", "a\n\nb"]), Row(5, ["2", "y"])], ""),
    ("escaped quotes", b'id,text\n1,"say ""hi"""\n', [Row(2, ["1", 'say "hi"'])], ""),
    ("inch mark", b'id,text\n1,pipe 5" long\n', [Row(2, ["1", 'pipe 5" long'])], ""),
    ("stray quotes in a cell", b'id,text\n1,"say "hi" to us"\n2,y\n', [Row(2, ["1", 'say "hi" to us']), B], STRAY),
    ("cell starts with a quoted word", b'id,text\n1,"Kerja" di Jepang\n2,y\n', [Row(2, ["1", "Kerja di Jepang"]), B], STRAY),
    (
        "stray quotes in a cell of two lines",
        b'text,id\n"a "b" c\nd",1\n"x",2\n',
        [Row(2, ['a "b" c\nd', "1"]), Row(4, ["x", "2"])],
        STRAY,
    ),
    ("never closed, to the end", b'id,text\n1,"x\n2,y\n', [Reject(2, OPEN, '1,"x'), B], ""),
    (
        "never closed, quotes follow",
        b'id,text\n1,"x\n2,"y"\n3,"z, z"\n',
        [Reject(2, OPEN, '1,"x'), B, Row(4, ["3", "z, z"])],
        "",
    ),
    ("never closed in the last line", b'id,text\n1,x\n2,"y', [A, Reject(3, OPEN, '2,"y')], ""),
    ("quote and cr", b'id,text\n1,"x\ry\n', [Reject(2, OPEN, '1,"x\ry')], ""),
    ("header only", b"id,text\n", [], ""),
    ("header only, no line end", b"id,text", [], ""),
]  # fmt: skip


@pytest.mark.parametrize(("data", "rows", "note"), [c[1:] for c in DIRT], ids=[c[0] for c in DIRT])
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_dirt(data: bytes, rows: list[Row | Reject], note: str, packed: bool, tmp_path: Path) -> None:
    header, found, notes = read(gzip.compress(data) if packed else data, tmp_path)
    assert sorted(header) == ["id", "text"]
    assert found == rows
    assert note in notes


HEADERS = [
    ("single column", b"text\na, b; c\nd\n", ["text"], [["a, b; c"], ["d"]], "a single column"),
    ("single column with tabs inside", b"text\na\tb\n", ["text"], [["a\tb"]], "a single column"),
    ("doubled name", b"a,a\n1,2\n", ["a", "a"], [["1", "2"]], "more than once: a"),
    ("no name", b"a,,b\n1,2,3\n", ["a", "", "b"], [["1", "2", "3"]], "without a name: 1"),
    ("two candidates", b"a,b;c\n1,2\n3,4\n", ["a", "b;c"], [["1", "2"], ["3", "4"]], "comma"),
    ("quoted separators", b'"a;b;c",d\n"1;2;3",4\n', ["a;b;c", "d"], [["1;2;3", "4"]], "comma"),
    ("line break in the header", b'"a\nb",c\n1,2\n', ["a\nb", "c"], [["1", "2"]], "comma"),
    ("quote never closed in the header", b'"a,b\n1,2\n', ["a", "b"], [["1", "2"]], "comma"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "header", "rows", "note"), [c[1:] for c in HEADERS], ids=[c[0] for c in HEADERS])
def test_header(data: bytes, header: list[str], rows: list[list[str]], note: str, tmp_path: Path) -> None:
    found, items, notes = read(data, tmp_path)
    assert found == header
    assert [item.cells for item in items if isinstance(item, Row)] == rows
    assert note in notes


REFUSED = [
    ("empty", b"", "is empty"),
    ("only blank lines", b"\n \r\n\t\n", "is empty"),
    ("only a bom", codecs.BOM_UTF8, "is empty"),
    ("broken archive", b"PK\x03\x04rest", "archive is damaged"),
    ("parquet", b"PAR1rest", "give it the suffix .parquet"),
    ("gz cut off", gzip.compress(os.urandom(1000))[:-300], "damaged or cut off"),
    ("gz of nothing", gzip.compress(b""), "is empty"),
]


@pytest.mark.parametrize(("data", "words"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused(data: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words) as caught:
        read(data, tmp_path)
    assert "ads.csv" in str(caught.value)


def test_gz_cut_off_later(tmp_path: Path) -> None:
    data = gzip.compress(b"id,text\n" + b"".join(b"%d,%s\n" % (i, os.urandom(20).hex().encode()) for i in range(9000)))
    path = tmp_path / "ads.csv.gz"
    path.write_bytes(data[:-2000])
    with CsvReader(path) as table, pytest.raises(InputError, match=r"after line \d+.*cut off"):
        list(table)


def test_missing_folder_and_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        open_table(tmp_path / "no.csv")
    with pytest.raises(InputError, match="is a folder without"):
        open_table(tmp_path)
    with pytest.raises(InputError, match=r"Use one of \.csv"):
        (tmp_path / "ads.xls").write_bytes(b"x")
        open_table(tmp_path / "ads.xls")
    with pytest.raises(InputError, match="cannot be written"):
        create_table(tmp_path / "no" / "out.csv")


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = BytesIO(b"id;text\n1;x\n")

    monkeypatch.setattr(sys, "stdin", Stdin)
    with open_table("-") as table:
        assert list(table) == [A]
        assert table.size is None
    assert not Stdin.buffer.closed


def test_a_cell_of_ten_megabytes(tmp_path: Path) -> None:
    big = "kata " * 2_000_000
    _, rows, _ = read(f'id,text\n1,"{big}"\n2,y\n'.encode(), tmp_path)
    assert rows == [Row(2, ["1", big]), B]


def test_too_long_is_rejected_and_reading_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "RECORD_LIMIT", 1000)
    monkeypatch.setattr(csv_module, "RECORD_LIMIT", 1000)
    one_line = f"id,text\n1,{'a' * 5000}\n2,y\n".encode()
    _, rows, _ = read(one_line, tmp_path)
    assert [type(r) for r in rows] == [Reject, Row]
    assert rows[0].line == 2
    assert rows[1] == B
    lines = 'id,text\n1,"' + "a\n" * 2000 + "2,y\n"
    _, rows, _ = read(lines.encode(), tmp_path)
    assert rows[0] == Reject(2, OPEN, '1,"a')
    assert rows[-1] == Row(2002, ["2", "y"])


def test_a_line_of_separators_costs_no_memory(tmp_path: Path) -> None:
    _, rows, _ = read(b"id,text\n" + b"," * 3_000_000 + b"\n2,y\n", tmp_path)
    assert [type(row) for row in rows] == [Reject, Row]
    assert isinstance(rows[0], Reject)
    assert "separators in a line" in rows[0].reason


@pytest.mark.parametrize("unit", [b'x",y,"z\n', b',"\n', b'"""x\n', b'""', b'"x"y,', b"\r", b'"\r\n', b'"a "b" c\n'], ids=repr)
def test_time_is_linear_whatever_the_quotes(unit: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_module, "RECORD_LIMIT", 100_000)

    def seconds(times: int) -> float:
        start = time.perf_counter()
        read(b"id,text\n" + unit * times, tmp_path)
        return time.perf_counter() - start

    seconds(100)
    # Eight times the input: sixty-four times the work would be quadratic.
    assert seconds(160_000) < 24 * seconds(20_000) + 1.0


def test_positions(tmp_path: Path) -> None:
    path = tmp_path / "ads.csv"
    path.write_bytes(b"id,text\n" + b"1,x\n" * 400_000)
    with CsvReader(path) as table:
        assert table.size == path.stat().st_size
        assert table.position < table.size
        assert sum(1 for _ in table) == 400_000
        assert table.position == table.size


cell = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12) | st.text(
    st.sampled_from("\",;\t|\r\n \0\"é\ufeff''=+-@1＝"), max_size=8
)


TEXTS = sorted(suffix for suffix in FORMATS if suffix.startswith((".csv", ".tsv", ".txt")))


@given(st.data(), st.sampled_from(TEXTS), st.booleans())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip(data: st.DataObject, suffix: str, ours: bool) -> None:
    width = data.draw(st.integers(1, 4))
    # The apostrophes that make cells inert are taken away again in our own tables only.
    header = ["jobscam_x" if ours else "text", *data.draw(st.lists(cell, min_size=width - 1, max_size=width - 1))]
    rows = data.draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=6))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{suffix}"
        with create_table(path, raw_cells=not ours) as out:
            for row in [header, *rows]:
                out.write(row)
        with open_table(path) as table:
            assert table.header == header
            assert [item.cells if isinstance(item, Row) else item for item in table] == rows
        assert sorted(os.listdir(folder)) == [path.name]


@given(st.binary(max_size=400) | st.text(st.sampled_from('",;\t|\r\n ab\0'), max_size=200).map(str.encode), st.booleans())
@settings(max_examples=500, deadline=None)
@example(b"\x1f\x8b", False)
@example(b"\xff\xfe\x00", False)
@example(b'"', True)
@example(b"\x00\x00\x00\x00", False)
def test_any_bytes(data: bytes, headed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        path.write_bytes(b"id,text\n" + data if headed else data)
        try:
            with CsvReader(path) as table:
                for item in table:
                    assert isinstance(item, Reject) or len(item.cells) == len(table.header)
                    assert item.line > 1
        except InputError:
            pass


def test_writer_is_atomic_and_deterministic(tmp_path: Path) -> None:
    path = tmp_path / "out.csv.gz"
    path.write_bytes(b"old")

    def fail() -> None:
        with CsvWriter(path) as out:
            out.write(["a"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out.csv.gz"]
    seen = set()
    for name in ("out.csv.gz", "other.csv.gz"):
        with CsvWriter(tmp_path / name) as out:
            out.write(["a", "b"])
        seen.add((tmp_path / name).read_bytes())
    assert len(seen) == 1


def test_writer_keeps_links_rights_and_devices(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    real.write_bytes(b"old")
    real.chmod(0o640)
    link.symlink_to(real)
    with CsvWriter(link) as out:
        out.write(["a", "b"])
    assert link.is_symlink()
    assert real.read_bytes() == b"a,b\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    with CsvWriter("/dev/null") as out:
        out.write(["a"])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_writer_quotes_no_more_than_needed(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with CsvWriter(path) as out:
        out.write(["a", "b;c"])
        out.write(["x; y", 'q"', "l\nm", "", " n"])
    assert path.read_bytes() == b'a,"b;c"\nx; y,"q""","l\nm",, n\n'


def test_rejects_file(tmp_path: Path) -> None:
    path = tmp_path / "x.rejects.csv"
    with RejectFile(path) as rejects:
        rejects.add(Reject(3, "why", 'a,"b\n'))
    assert path.read_text() == 'line,reason,raw\n3,why,"a,""b\n"\n'
    with RejectFile(path):
        pass
    assert not path.exists(), "a file of an earlier run would tell of rows no longer rejected"
    path.write_text("mine\n")
    with RejectFile(path):
        pass
    assert path.read_text() == "mine\n"


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("a.csv", "o/b.csv", "o/b.rejects.csv"),
        ("x/a.tsv.gz", "-", "a.rejects.csv"),
        ("-", "-", "stdin.rejects.csv"),
        ("a.csv", "b", "b.rejects.csv"),
        ("x/a.tsv.gz", "/dev/null", "a.rejects.csv"),
    ],
)
def test_rejects_path(source: str, target: str, expected: str) -> None:
    assert rejects_path(source, target) == Path(expected)
