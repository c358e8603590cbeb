"""Formats other than plain text: what is read from them, what is refused, and what comes back from a round trip."""

from __future__ import annotations

import gzip
import io
import json
import os
import sys
import tempfile
import threading
import tracemalloc
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jobscam.errors import InputError
from jobscam.io import FORMATS, Row, check_targets, create_table, made_from, open_table, packed, source_files
from jobscam.io import csv as csv_module
from jobscam.io import jsonl as jsonl_module
from jobscam.io import parquet as parquet_module
from jobscam.io import source as source_module
from jobscam.io import workbook as workbook_module
from jobscam.io import xlsx_writer as writer_module
from jobscam.io.rejects import rejects_path
from jobscam.values import Reject

pa = pytest.importorskip("pyarrow")
openpyxl = pytest.importorskip("openpyxl")
TYPED = (".jsonl", ".parquet", ".xlsx")


def read(path: Path) -> tuple[list[str], list[Row | Reject], str]:
    with open_table(path) as table:
        rows = list(table)
        return table.header, rows, "\n".join(table.notes)


def write(path: Path, *rows: list[str]) -> Path:
    with create_table(path) as out:
        for row in rows:
            out.write(row)
    return path


def reasons(rows: list[Row | Reject]) -> list[str]:
    return [f"{row.line}: {row.reason}" for row in rows if isinstance(row, Reject)]


# All formats

NASTY = ["=1+1", "- syarat: jujur", "+62-812-0000-0000", "a\r\nb", "\tx", "\x00\x0b_x000D_\uffff", "'=x", "\U0001f600 ＝1", " x "]


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_back_what_it_got_in_the_same_bytes(suffix: str, tmp_path: Path) -> None:
    header, rows = ["id", "text", "jobscam_tier"], [[str(i), cell, ""] for i, cell in enumerate(NASTY)]
    first, second = tmp_path / "1" / f"t{suffix}", tmp_path / "2" / f"t{suffix}"
    for path in (first, second):
        path.parent.mkdir()
        write(path, header, *rows)
        assert os.listdir(path.parent) == [path.name]
    assert first.read_bytes() == second.read_bytes()
    with create_table(second) as out:
        out.write(header)
        for row in rows:
            out.write_encoded(out.encode(row))
    assert first.read_bytes() == second.read_bytes()
    found, items, _ = read(first)
    assert found == header
    assert [item.cells for item in items if isinstance(item, Row)] == rows


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_was_not_completed_does_not_appear(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"t{suffix}"

    def fail() -> None:
        with create_table(path) as out:
            out.write(["text"])
            out.write(["x"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert os.listdir(tmp_path) == []


character = st.characters(blacklist_categories=("Cs",)) | st.sampled_from("\r\n\t\0\x0b_x&<>\"'=\ufffe")
cell = st.text(character, max_size=12)


@given(st.data(), st.sampled_from(TYPED))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip(data: st.DataObject, suffix: str) -> None:
    width = data.draw(st.integers(0, 3))
    header = ["text", *(f"c{i}" for i in range(width))]
    rows = [["x", *row] for row in data.draw(st.lists(st.lists(cell, min_size=width, max_size=width), min_size=1, max_size=5))]
    with tempfile.TemporaryDirectory() as folder:
        found, items, _ = read(write(Path(folder) / f"t{suffix}", header, *rows))
    assert found == header
    assert [item.cells if isinstance(item, Row) else item for item in items] == rows


@pytest.mark.parametrize("suffix", TYPED)
def test_scores_are_numbers_and_empty_cells_are_null(suffix: str, tmp_path: Path) -> None:
    header = ["text", "no", "jobscam_probability", "jobscam_salary_month_idr"]
    path = write(tmp_path / f"t{suffix}", header, ["x", "0812", "0.250000", "12000000"], ["y", "", "", ""])
    if suffix == ".jsonl":
        rows = [list(json.loads(line).values()) for line in path.read_text().splitlines()]
    elif suffix == ".parquet":
        import pyarrow.parquet as pq

        rows = [list(row.values()) for row in pq.read_table(path).to_pylist()]
    else:
        rows = [list(row) for row in openpyxl.load_workbook(path).active.iter_rows(min_row=2, values_only=True)]
    assert rows == [["x", "0812", 0.25, 12000000], ["y", None, None, None]]


@pytest.mark.parametrize("suffix", TYPED)
def test_words_in_a_column_of_numbers_stay_words_or_are_named(suffix: str, tmp_path: Path) -> None:
    """A table that comes with a column of ours may hold anything in it."""
    rows = [["x", "7"], ["y", "row 8?"]]
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        with pytest.raises(InputError, match=r"column jobscam_line .* row 2 of the output has 'row 8\?'"):
            write(path, ["text", "jobscam_line"], *rows)
    else:
        assert [item.cells for item in read(write(path, ["text", "jobscam_line"], *rows))[1] if isinstance(item, Row)] == rows


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_names_that_would_fall_together_are_told_apart(suffix: str, tmp_path: Path) -> None:
    assert read(write(tmp_path / f"t{suffix}", ["text", "text", ""], ["a", "b", "c"]))[:2] == (
        ["text", "text_2", "column_3"],
        [Row(1, ["a", "b", "c"])],
    )


# Archives


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name, content in members.items():
            out.writestr(name.replace("__", "/").replace("_", "."), content)
    return path


TABLE = b"id,text\n1,x\n"


@pytest.mark.parametrize("name", ["a.zip", "a.csv.zip", "a.csv"])
def test_the_only_table_of_an_archive_is_read(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path / name, readme_md=b"#", d__ads_csv=TABLE, d__=b"")
    assert read(path)[:2] == (["id", "text"], [Row(2, ["1", "x"])])
    assert read(archive(tmp_path / "b.zip", ads_jsonl=b'{"text":"x"}\n'))[:2] == (["text"], [Row(1, ["x"])])


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a_csv": TABLE, "b_tsv": TABLE}, r"holds 2 tables: a\.csv, b\.tsv"),
        ({"a_pdf": b"x"}, r"holds no table .* but: a\.pdf"),
        ({"a_csv": b""}, "is empty"),
        ({"xl__workbook_xml": b""}, r"Excel workbook; give it the suffix \.xlsx"),
    ],
)
def test_archives_that_are_refused(members: dict[str, bytes], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        open_table(archive(tmp_path / "a.zip", **members))


@pytest.mark.parametrize("suffix", [".csv.gz", ".csv.zst", ".csv.zip", ".jsonl.zst", ".parquet", ".xlsx"])
@pytest.mark.parametrize("cut", [0.2, 0.6, 0.95])
def test_a_file_cut_off_is_told(suffix: str, cut: float, tmp_path: Path) -> None:
    path = write(tmp_path / f"t{suffix}", ["id", "text"], *([str(i), os.urandom(20).hex()] for i in range(6000)))
    data = path.read_bytes()
    path.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(InputError, match=r"damaged|cut off|cannot be read"):
        read(path)


@given(st.binary(max_size=300), st.sampled_from([".parquet", ".xlsx", ".jsonl", ".csv.zip", ".csv.zst", ".csv.gz"]))
@settings(max_examples=300, deadline=None)
@example(b"PK\x05\x06" + bytes(18), ".xlsx")
@example(b"PAR1" + bytes(8) + b"PAR1", ".parquet")
def test_any_bytes(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"t{suffix}"
        path.write_bytes(data)
        try:
            header, rows, _ = read(path)
        except InputError as error:
            assert "t." in str(error)
        else:
            assert all(isinstance(row, Reject) or len(row.cells) == len(header) for row in rows)


@given(st.data(), st.sampled_from([".parquet", ".xlsx", ".csv.zip", ".csv.zst"]))
@settings(max_examples=200, deadline=None)
def test_any_changed_byte(data: st.DataObject, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder) / f"t{suffix}", ["id", "text"], ["1", "Dicari kasir"], ["2", "=1"])
        raw = bytearray(path.read_bytes())
        for at in data.draw(st.lists(st.integers(0, len(raw) - 1), min_size=1, max_size=4)):
            raw[at] = data.draw(st.integers(0, 255))
        path.write_bytes(raw)
        try:
            header, rows, _ = read(path)
        except InputError:
            return
        assert all(isinstance(row, Reject) or len(row.cells) == len(header) for row in rows)


# JSONL

DEEP = "[" * 100_000 + "]" * 100_000
OBJECTS: list[tuple[str, str, list[str], list[Any], str]] = [
    ("union of keys", '{"a":"1"}\n{"text":"x"}\n', ["a", "text"], [["1", ""], ["", "x"]], ""),
    ("numbers", '{"text":[],"n":8.12e11,"m":5.0,"k":-0.1}\n', ["text", "n", "m", "k"], [["[]", "812000000000", "5", "-0.1"]], ""),
    ("long number", '{"text":%s}\n' % ("9" * 5000), ["text"], [["9" * 5000]], ""),
    ("beyond floats", '{"text":1e999}\n', ["text"], [["1e999"]], ""),
    ("null, true", '{"text":"x","a":null,"b":true}\n', ["text", "a", "b"], [["x", "", "true"]], ""),
    ("nested", '{"text":{"é":[1,null]}}\n', ["text"], [['{"é": [1, null]}']], ""),
    ("nan", '{"text":"x","p":NaN}\n', ["text", "p"], [["x", ""]], "NaN and Infinity, read as empty: 1"),
    ("blank lines", '\n{"text":"x"}\r\n\n', ["text"], [["x"]], "blank lines skipped: 2"),
    ("line separator", '{"text":"a\u2028b\x85"}\n', ["text"], [["a\u2028b\x85"]], ""),
    ("half a character", '{"text":"\\ud83d!"}\n', ["text"], [["\ufffd!"]], "half a character, replaced: 1"),
    ("broken", '{"text":"x"}\n{"text":\n', ["text"], [["x"], "2: broken JSON: Expecting value, character 9"], ""),
    ("no object", '{"text":"x"}\n[1]\n', ["text"], [["x"], "2: a JSON value, but not an object with keys and values"], ""),
    ("key twice", '{"text":"x"}\n{"text":"y","text":"z"}\n', ["text"], [["x"], "2: key 'text' is there more than once"], ""),
    ("deep", '{"text":"x"}\n{"text":' + DEEP + "}\n", ["text"], [["x"], "2: nested too deeply"], ""),
]  # fmt: skip


@pytest.mark.parametrize(("data", "header", "rows", "note"), [c[1:] for c in OBJECTS], ids=[c[0] for c in OBJECTS])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_jsonl(data: str, header: list[str], rows: list[Any], note: str, encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(data.encode(encoding))
    found, items, notes = read(path)
    assert found == header
    assert [item.cells if isinstance(item, Row) else reasons([item])[0] for item in items] == rows
    assert note in notes


def test_jsonl_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text("id,text\n1,x\n")
    with pytest.raises(InputError, match="no line of it is a JSON object"):
        read(path)
    path.write_bytes(b'{"text":"caf\xe9"}\n')
    assert read(path)[1:] == ([Row(1, ["café"])], "characters not UTF-8, read as Windows-1252: 1")


def test_jsonl_with_keys_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_module, "_MOST_KEYS", 3)
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"text": "x", f"k{i}": "y"}) + "\n" for i in range(4)))
    header, rows, _ = read(path)
    assert header == ["text", "k0", "k1"]
    assert reasons(rows) == ["3: more than 3 different keys in the file", "4: more than 3 different keys in the file"]


# Parquet


def parquet(path: Path, *, group: int = 1000, **columns: Any) -> Path:
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


def test_parquet_values_are_what_a_person_would_write(tmp_path: Path) -> None:
    values = {
        "text": (pa.string(), "x", "x"),
        "none": (pa.string(), None, ""),
        "phone": (pa.float64(), 628120000000.0, "628120000000"),
        "pay": (pa.int64(), 5_000_000, "5000000"),
        "share": (pa.float32(), 0.5, "0.5"),
        "nan": (pa.float64(), float("nan"), ""),
        "sum": (pa.decimal128(12, 2), Decimal("12.50"), "12.50"),
        "yes": (pa.bool_(), True, "true"),
        "day": (pa.date32(), date(2024, 1, 31), "2024-01-31"),
        "moment": (pa.timestamp("us"), datetime(2024, 1, 31, 8, 30), "2024-01-31 08:30:00"),
        "midnight": (pa.timestamp("ns"), datetime(2024, 1, 31), "2024-01-31"),
        "zone": (pa.timestamp("us", "UTC"), datetime(2024, 1, 31, tzinfo=UTC), "2024-01-31 00:00:00+00:00"),
        "bytes": (pa.binary(), b"caf\xc3\xa9", "café"),
        "list": (pa.list_(pa.string()), ["a", "é"], '["a", "é"]'),
        "struct": (pa.struct({"a": pa.int8()}), {"a": 1}, '{"a": 1}'),
        "category": (pa.dictionary(pa.int8(), pa.string()), "c", "c"),
    }
    path = parquet(tmp_path / "t.parquet", **{name: pa.array([value], kind) for name, (kind, value, _) in values.items()})
    header, rows, _ = read(path)
    assert header == list(values)
    assert rows == [Row(1, [text for _, _, text in values.values()])]


def test_parquet_cells_that_cannot_be_read(tmp_path: Path) -> None:
    latin = pa.Array.from_buffers(pa.string(), 1, [None, pa.array([0, 4], pa.int32()).buffers()[1], pa.py_buffer(b"caf\xe9")])
    assert read(parquet(tmp_path / "t.parquet", text=latin))[1:] == (
        [Row(1, ["café"])],
        "cells that are not UTF-8, read as Windows-1252: 1",
    )
    times = pa.array([0, 2**50], pa.int64()).cast(pa.timestamp("ms"))
    _, rows, _ = read(parquet(tmp_path / "u.parquet", text=["x", "y"], at=times))
    assert rows[0] == Row(1, ["x", "1970-01-01"])
    assert reasons(rows) == ["2: column 'at': a timestamp[ms] that is out of range"]


def test_of_a_row_of_parquet_that_is_too_long_the_longest_cell_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobscam.io.parquet.RECORD_LIMIT", 10)
    found = read(write(tmp_path / "t.parquet", ["id", "text"], ["z", "a long text"]))[1]
    assert [row.raw for row in found if isinstance(row, Reject)] == ["a long text"]


def test_parquet_and_workbooks_come_in_pieces(tmp_path: Path) -> None:
    text = ["Dicari kasir toko, jujur dan rajin, " + os.urandom(400).hex() for _ in range(4000)]
    files = [parquet(tmp_path / "t.parquet", group=500, text=text), write(tmp_path / "t.xlsx", ["text"], *([t] for t in text))]
    for path in files:
        tracemalloc.start()
        with open_table(path) as table:
            assert sum(1 for _ in table) == len(text)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000 < len(text) * len(text[0])
        tracemalloc.stop()


def test_writing_holds_a_row_group_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_module, "_GROUP_SIZE", 200_000)
    for suffix in (".xlsx", ".parquet"):
        tracemalloc.start()
        with create_table(tmp_path / f"t{suffix}") as out:
            out.write(["text"])
            for _ in range(3000):
                out.write([os.urandom(500).hex()])
        assert tracemalloc.get_traced_memory()[1] < 1_500_000
        tracemalloc.stop()


def test_a_bomb_costs_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_module, "RECORD_LIMIT", 100_000)
    monkeypatch.setattr(source_module, "RECORD_LIMIT", 100_000)
    data = b"id,text\n1," + b"x" * 30_000_000
    with zipfile.ZipFile(tmp_path / "t.zip", "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("t.csv", data)
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(data))
    (tmp_path / "t.csv.zst").write_bytes(pa.compress(data, "zstd", asbytes=True))
    for name in ("t.zip", "t.csv.gz", "t.csv.zst"):
        tracemalloc.start()
        _, rows, _ = read(tmp_path / name)
        assert [type(row) for row in rows] == [Reject]
        assert tracemalloc.get_traced_memory()[1] < 6_000_000, name
        tracemalloc.stop()


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [write(tmp_path / f"t{suffix}", ["text"], ["x"]) for suffix in (".parquet", ".csv.zst")]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for path in made:
        for act in (open_table, create_table):
            with pytest.raises(InputError, match=r"needs pyarrow; install it with: pip install 'jobscam\[formats\]'"):
                act(path)
    assert sorted(os.listdir(tmp_path)) == ["t.csv.zst", "t.parquet"]
    assert read(write(tmp_path / "t.xlsx", ["text"], ["x"]))[1] == [Row(2, ["x"])], "workbooks need nothing"


# Workbooks


def workbook(path: Path, rows: list[list[Any]], **more: Any) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for place, (value, code) in more.items():
        book.active[place] = value
        book.active[place].number_format = code
    book.create_sheet("Lain").append(["a"])
    book.save(path)
    return path


VALUES: list[tuple[str, Any, str, str]] = [
    ("phone", 628120000000, "General", "628120000000"),
    ("phone as float", 8.12e11, "General", "812000000000"),
    ("zeros in front", 81200000000, "000000000000", "081200000000"),
    ("money", 5000000, '"Rp"#,##0;[Red]-"Rp"#,##0', "5000000"),
    ("share", 0.1 + 0.2, "0.0%", "0.3"),
    ("negative", -5, "General", "-5"),
    ("day", datetime(2024, 1, 31), "yyyy-mm-dd", "2024-01-31"),
    ("day of the country", datetime(2024, 1, 31), "[$-421]dd mmmm yyyy;@", "2024-01-31"),
    ("moment", datetime(2024, 1, 31, 8, 30, 15), "d/m/yy h:mm", "2024-01-31 08:30:15"),
    ("time", 0.5, "h:mm", "12:00:00"),
    ("no date", 45292, '0 "hari"', "45292"),
    ("truth", True, "General", "true"),
    ("error", "#N/A", "General", ""),
    ("formula", "=1+1", "General", ""),
    ("lines", "a\nb", "@", "a\nb"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "code", "text"), [c[1:] for c in VALUES], ids=[c[0] for c in VALUES])
def test_cells_of_a_workbook(value: Any, code: str, text: str, tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", [["text", "v"], ["x"]], B2=(value, code))
    assert read(path)[:2] == (["text", "v"], [Row(2, ["x", text])])


def test_layout_of_a_workbook(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Data lowongan 2024"], [], ["text", "wa", None], ["x", 1, None], [], ["y"], ["z", None, None, "!"]]
    path = workbook(tmp_path / "t.xlsx", rows)
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("A1:C1")
    book.save(path)
    header, items, notes = read(path)
    assert header == ["text", "wa"]
    assert items[:2] == [Row(4, ["x", "1"]), Row(6, ["y", ""])]
    assert reasons(items) == ["7: 4 cells where the header has 2"]
    for note in ("sheet: Sheet", "other sheets, not read: Lain", "passed over: row 1", "merged cells"):
        assert note in notes
    header, items, notes = read(workbook(tmp_path / "u.xlsx", [["text", None], ["x", "1"], ["y", "#N/A"], ["z", "3"]]))
    assert (header, items) == (["text", ""], [Row(2, ["x", "1"]), Row(3, ["y", ""]), Row(4, ["z", "3"])])
    assert "columns without a name: 1" in notes
    assert "#N/A, read as empty: 1" in notes


def test_hidden_sheets_are_not_the_first(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", [["geheim"]])
    book = openpyxl.load_workbook(path)
    book.active.sheet_state = "hidden"
    book.active = 1
    book.save(path)
    assert read(path)[0] == ["a"]


SHEET = "<worksheet><sheetData>%s</sheetData></worksheet>"
HEAD = '<row r="1"><c r="A1" t="str"><v>text</v></c></row>'


def sheet(path: Path, xml: str, **more: str) -> Path:
    """A workbook whose sheet holds this XML, whatever it is."""
    write(path, ["text"], ["x"])
    with zipfile.ZipFile(path) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    parts["xl/worksheets/sheet1.xml"] = xml.encode()
    for name, content in more.items():
        parts[f"xl/{name}.xml"] = content.encode()
        link = f'<Relationship Id="x" Type="http://purl.oclc.org/ooxml/officeDocument/relationships/{name}" Target="/xl/{name}.xml"/>'
        rels = "xl/_rels/workbook.xml.rels"
        parts[rels] = parts[rels].replace(b"</Relationships>", link.encode() + b"</Relationships>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in parts.items():
            out.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        (SHEET % "", "is empty"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]>" + SHEET % HEAD, "document type"),
        (SHEET % '<row><c r="ZZZZ1"/></row>', "cell without a place"),
        (SHEET % '<row><c r="XFE1"/></row>', "more than 16384 columns"),
        (SHEET % (HEAD + '<row><c t="s"><v>7</v></c></row>'), "shared text 7 is missing"),
        (SHEET % (HEAD + '<row r="x"><c/></row>'), "cannot be read as an Excel workbook"),
        (SHEET % (HEAD + "<row><c><v>1,5</v></c></row>"), "cannot be read as an Excel workbook"),
        ("<worksheet a='" + "x" * 4_000_000, "a tag without end"),
        ("<worksheet><sheetData><row>", "cannot be read as an Excel workbook"),
    ],
)
def test_sheets_that_are_refused(xml: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        read(sheet(tmp_path / "t.xlsx", xml))


def shared(path: Path, texts: str, xml: str) -> Path:
    """A workbook with shared texts, as Excel writes it."""
    return sheet(path, xml, sharedStrings=f'<x:sst xmlns:x="x">{texts}</x:sst>')


def test_shared_texts_and_prefixed_elements(tmp_path: Path) -> None:
    texts = (
        "<si><t>text</t></si><si><r><t>Dicari </t></r><r><rPr><b/></rPr><t>kasir</t></r><rPh><t>no</t></rPh></si>"
        '<si><t xml:space="preserve"> a_x000D_&#10;b &lt;é&gt; </t></si><si/>'
    )
    row = (
        '<x:row r="2">'
        + "".join(f'<x:c r="{c}2" t="s"><x:v>{i}</x:v></x:c>' for c, i in (("A", 1), ("B", 2), ("C", 3)))
        + "</x:row>"
    )
    head = '<x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c><x:c r="B1"><x:v>1</x:v></x:c><x:c r="C1"><x:v>2</x:v></x:c></x:row>'
    xml = f'<x:worksheet xmlns:x="x"><x:sheetData>{head}{row}</x:sheetData></x:worksheet>'
    assert read(shared(tmp_path / "t.xlsx", texts, xml))[:2] == (
        ["text", "1", "2"],
        [Row(2, ["Dicari kasir", " a\r\nb <é> ", ""])],
    )


PIECES = [
    "<row>", '<row r="3">', '<row r="-1">', '<row r="9999999999999999999999">', "</row>", "<c>", '<c r="B1">', '<c r="1">', '<c t="s">',
    '<c t="b">', '<c t="e">', '<c t="d">', '<c t="inlineStr">', '<c s="1">', '<c s="-7">', '<c s="x">', "</c>", "<v>", "</v>", "<is>",
    "</is>", "<t>", "</t>", "<r>", "</r>", "<rPh>", "</rPh>", "<f>", "</f>", "0", "7", "-1", "1e999", "nan", "45292.5", "-0.0", "1_0", "١",
    "text", "2024-01-31T00:00:00", "_x000D_", "_xD83D_", "&#0;", "&lt;", "&nope;", "<!--", "-->", "<![CDATA[x]]>", "<?pi?>",
    '<row><c r="A1" t="inlineStr"><is><t>text</t></is></c><c r="C1"><v>', '</v></c><c t="str"><v>x</v></c></row>',
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join), st.booleans())
@settings(max_examples=300, deadline=None)
@example('<row r="2"><c s="2"><v>1e999</v></c></row>', True)
def test_any_sheet(xml: str, headed: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = sheet(Path(folder) / "t.xlsx", SHEET % (HEAD * headed + xml))
        try:
            header, rows, _ = read(path)
        except InputError:
            return
        assert all(isinstance(row, Reject) or len(row.cells) == len(header) for row in rows)


@given(
    st.lists(
        st.sampled_from(['{"text":', "[", "]", "{", "}", '"', "x", ":", ",", "1e9", "-", "NaN", "null", "\\ud83d", "\n", "\r"])
    )
)
@settings(max_examples=300, deadline=None)
def test_any_json(pieces: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.jsonl"
        path.write_text('{"text":"x"}\n' + "".join(pieces), encoding="utf-8", newline="")
        header, rows, _ = read(path)
        assert rows[0] == Row(1, ["x", *[""] * (len(header) - 1)])
        assert all(isinstance(row, Reject) or len(row.cells) == len(header) for row in rows)


def test_dates_from_1904(tmp_path: Path) -> None:
    path = workbook(tmp_path / "t.xlsx", [["text", "v"], ["x"]], B2=(datetime(2024, 1, 31), "yyyy-mm-dd"))
    book = openpyxl.load_workbook(path)
    book.epoch = datetime(1904, 1, 1)
    book.save(path)
    assert read(path)[1] == [Row(2, ["x", "2024-01-31"])]


def test_gaps_and_giants_of_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from jobscam.io import xlsx as xlsx_module

    monkeypatch.setattr(xlsx_module, "RECORD_LIMIT", 1000)
    far = '<row r="1048576"><c r="A1048576" t="inlineStr"><is><r><t>x</t></r><rPh><t>no</t></rPh><r><t>y</t></r></is></c></row>'
    long = '<row><c t="str"><v>%s</v></c></row>' % ("x" * 5000)
    _, rows, _ = read(sheet(tmp_path / "t.xlsx", SHEET % (HEAD + long + far)))
    assert [row.line for row in rows] == [2, 1048576]
    assert isinstance(rows[0], Reject)
    assert rows[1] == Row(1048576, ["xy"])


def test_other_programs_read_our_workbook_and_nothing_in_it_is_a_formula(tmp_path: Path) -> None:
    rows = [[str(i), cell] for i, cell in enumerate(NASTY)]
    path = write(tmp_path / "t.xlsx", ["id", "=HYPERLINK(1)"], *rows)
    book = openpyxl.load_workbook(path)
    cells = list(book.active.iter_rows(min_row=1))
    assert {cell.data_type for row in cells for cell in row} <= {"s", "inlineStr"}
    texts = [row[1].value for row in cells]
    assert texts[:4] == ["=HYPERLINK(1)", *NASTY[:3]]
    assert [bool(row[1].quotePrefix) for row in cells[1:4]] == [True, True, True]
    assert not cells[-1][1].quotePrefix


def test_what_a_sheet_cannot_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = "\U0001f600" * 20_000
    with create_table(tmp_path / "t.xlsx") as out:
        out.write(["text"])
        out.write([long])
        out.write(["x" * 32_767])
        assert out.notes == ("cells cut to the 32767 characters a workbook holds: 1; CSV and Parquet keep them whole",)
    cells = [row.cells[0] for row in read(tmp_path / "t.xlsx")[1] if isinstance(row, Row)]
    assert cells[0].endswith("\U0001f600 … [cut here: a cell of a workbook holds no more]")
    assert len(cells[0].encode("utf-16-le")) // 2 <= 32_767 == len(cells[1])
    with pytest.raises(InputError, match="a sheet holds 16384 columns"):
        write(tmp_path / "u.xlsx", ["x"] * 16_385)
    monkeypatch.setattr(writer_module, "MOST_ROWS", 2)
    with pytest.raises(InputError, match=r"holds 1 rows below its header; write CSV or Parquet"):
        write(tmp_path / "u.xlsx", ["text"], ["x"], ["y"])
    assert os.listdir(tmp_path) == ["t.xlsx"]


@pytest.mark.parametrize(("limit", "words"), [("_MOST_TEXTS", "more than 3 texts"), ("_MOST_BYTES", "MiB of text")])
def test_shared_texts_have_a_limit(limit: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = shared(tmp_path / "t.xlsx", "<si><t>text</t></si><si><t>x</t></si><si><t/></si>", SHEET % HEAD)
    monkeypatch.setattr(workbook_module, limit, 3)
    with pytest.raises(InputError, match=words):
        open_table(path)


def test_workbooks_with_a_password_are_told(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(InputError, match="old kind, or one with a password"):
        open_table(tmp_path / "t.xlsx")


# Standard input


@pytest.mark.parametrize(
    "suffix", [".csv", ".tsv.gz", ".csv.zip", ".csv.zst", ".jsonl", ".jsonl.gz", ".jsonl.zip", ".parquet", ".xlsx"]
)
def test_standard_input_is_recognised(suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write(tmp_path / f"t{suffix}", ["id", "text"], ["1", "x"], ["2", "y"]).read_bytes()

    class Stdin:
        buffer = io.BufferedReader(io.BytesIO(data))

    monkeypatch.setattr(sys, "stdin", Stdin)
    with open_table("-") as table:
        assert table.header == ["id", "text"]
        assert [row.cells for row in table if isinstance(row, Row)] == [["1", "x"], ["2", "y"]]
        assert table.name == "standard input"
    assert not Stdin.buffer.closed


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".jsonl", ".jsonl.zst", ".csv.zip"])
def test_pipes_are_read_once(suffix: str, tmp_path: Path) -> None:
    data = write(tmp_path / f"t{suffix}", ["id", "text"], ["1", "x"]).read_bytes()
    # A shell calls the pipe of another command by a number.
    for pipe in (tmp_path / f"p{suffix}", tmp_path / "63"):
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(data,))
        writer.start()
        assert [row.cells for row in read(pipe)[1] if isinstance(row, Row)] == [["1", "x"]]
        writer.join()


# Several files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    ads = tmp_path / "ads"
    (ads / "sub").mkdir(parents=True)
    write(ads / "a.csv", ["id", "text"], ["1", "x"])
    write(ads / "b.jsonl.gz", ["text", "wa"], ["y", "2"])
    write(ads / "c.xlsx", ["text", "text"], ["z", "z2"])
    write(ads / "d.parquet", ["id", "text"], ["4", "w"])
    for name in (".e.csv", "a.scored.csv", "a.rejects.csv", "readme.md"):
        (ads / name).write_text("id,text\n9,no\n")
    return ads


def test_a_folder_is_one_table(folder: Path) -> None:
    header, rows, notes = read(folder)
    assert header == ["id", "text", "wa", "text", "jobscam_file", "jobscam_line"]
    assert [(row.line, row.cells[:4]) for row in rows if isinstance(row, Row)] == [
        (1, ["1", "x", "", ""]),
        (2, ["", "y", "2", ""]),
        (3, ["", "z", "", "z2"]),
        (4, ["4", "w", "", ""]),
    ]
    assert [row.cells[4:] for row in rows if isinstance(row, Row)] == [
        [str(folder / "a.csv"), "2"], [str(folder / "b.jsonl.gz"), "1"], [str(folder / "c.xlsx"), "2"], [str(folder / "d.parquet"), "1"]
    ]  # fmt: skip
    assert "4 files read as one table" in notes
    assert "not read: a.rejects.csv, a.scored.csv, readme.md, sub" in notes
    assert "a.csv: separator: comma" in notes


@pytest.mark.parametrize(("pattern", "lines"), [("*.csv", 1), ("[ab].*", 2), ("*.scored.csv", 1), ("**/*.csv", 1), ("*", 4)])
def test_a_pattern_is_one_table(pattern: str, lines: int, folder: Path) -> None:
    assert len(read(folder / pattern)[1]) == lines


def test_a_broken_file_does_not_stop_the_others_and_is_counted(folder: Path) -> None:
    (folder / "b.jsonl.gz").write_bytes(gzip.compress(os.urandom(99)))
    data = gzip.compress(b"id,text\n" + b"".join(b"%d,%s\n" % (i, os.urandom(20).hex().encode()) for i in range(9000)))
    (folder / "e.csv.gz").write_bytes(data[:-2000])
    (folder / "f.csv").write_bytes(b"id,text\n1,x,z\n")
    _, rows, notes = read(folder)
    said = [row.said for row in rows if isinstance(row, Reject)]
    assert said[0].startswith(f"{folder / 'b.jsonl.gz'}: not read at all: ")
    assert f"{folder / 'e.csv.gz'}: not read beyond line " in said[1]
    assert said[2] == f"{folder / 'f.csv'}, line 2: 3 cells where the header has 2"
    assert [row.line for row in rows] == list(range(1, len(rows) + 1))
    assert "files that could not be read to their end, see the rejected rows: 2" in notes


def test_folders_that_are_refused(tmp_path: Path, folder: Path) -> None:
    for name, words in [
        (folder / "*.nothing", "there are no such files"),
        (folder / "sub", "is a folder without a table"),
        (folder / "a.r*", "holds no table to read, only a.rejects.csv"),
    ]:
        with pytest.raises(InputError, match=words):
            open_table(name)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.csv").write_bytes(b"")
    with pytest.raises(InputError, match=r"none of its 1 files can be read: .*a\.csv is empty"):
        open_table(tmp_path / "bad")
    with pytest.raises(InputError, match="is the input itself"):
        check_targets(folder / "*.csv", folder / "a.csv")
    check_targets(folder / "*.csv", folder / "b.csv")
    assert source_files(folder / "*.csv") == [folder / "a.csv"]
    assert source_files("-") == []


def test_names_of_what_is_made_from_several_files(folder: Path) -> None:
    assert made_from(folder, "scored.csv") == str(folder.parent / "ads.scored.csv")
    assert made_from(f"{folder}/*.csv", "scored.csv") == str(folder.parent / "ads.scored.csv")
    assert rejects_path(f"{folder}/*.csv", "-").name == "ads.rejects.csv"
    (folder / "x[1].csv").write_text("text\nx\n")
    assert len(read(folder / "x[1].csv")[1]) == 1, "a file that is there is no pattern"


def test_packs_are_listed_once() -> None:
    assert {suffix for suffix in FORMATS if suffix.endswith(packed.PACKS)} == {
        text + pack for text in packed.TEXTS for pack in packed.PACKS
    }
