"""Excel workbooks, written row by row; every cell of text is typed as text, so nothing in it ever runs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jobscam.errors import InputError
from jobscam.io.cells import NUMBERS, as_number
from jobscam.io.inert import runs
from jobscam.io.packed import zip_entry
from jobscam.io.target import Target
from jobscam.io.xlsx import MOST_CHARACTERS, MOST_COLUMNS, MOST_ROWS

_HEAD = b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELATIONS = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
_KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_KIND}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_KIND}.styles+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_KIND}.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        f'<Relationships {_RELATIONS}><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        "</Relationships>"
    ),
    "xl/workbook.xml": (
        f'<workbook {_MAIN} xmlns:r="{_OFFICE}"><sheets><sheet name="jobscam" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        f'<Relationships {_RELATIONS}><Relationship Id="rId1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>'
    ),
    # Style 1 is the header. Style 2 is for text that would be a formula if somebody edited its cell: Excel then shows it
    # as if it had been typed behind an apostrophe.
    "xl/styles.xml": (
        f'<styleSheet {_MAIN}><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
        "<borders><border><left/><right/><top/><bottom/><diagonal/></border></borders>"
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
        '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>'
        '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/></cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
        "</styleSheet>"
    ),
}
_SHEET = (
    f'<worksheet {_MAIN}><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" '
    'activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>'
)
_ROW = b"\0"
"""Stands for the number of the row in an encoded record; no XML holds it."""
# What XML cannot hold, and what reading would take for an escape of it.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CUT = " … [cut here: a cell of a workbook holds no more]"


class XlsxWriter:
    """Writes one sheet; the file gets its name when it is complete, and is the same bytes whenever it is written.

    Parameters
    ----------
    path : str or Path
    numbers : collection of str
        Columns that are numbers.

    Raises
    ------
    InputError
        If nothing can be written there; on writing, if there are more rows or columns than a sheet holds.
    """

    def __init__(self, path: str | Path, *, numbers: frozenset[str] = NUMBERS) -> None:
        self._path = path
        self._numbers = numbers
        self._columns: list[tuple[bytes, str | None]] | None = None
        self._row = 0
        self._cut = 0
        self._target = Target(path, self._finish)
        self._archive = zipfile.ZipFile(self._target.stream, "w")
        for name, content in _PARTS.items():
            self._archive.writestr(zip_entry(name), _HEAD + content.encode())
        self._sheet: Any = self._archive.open(zip_entry("xl/worksheets/sheet1.xml"), "w", force_zip64=True)
        self._sheet.write(_HEAD + _SHEET.encode())

    @property
    def notes(self) -> Sequence[str]:
        """What was done to cells that a workbook cannot hold."""
        if not self._cut:
            return ()
        return (f"cells cut to the {MOST_CHARACTERS} characters a workbook holds: {self._cut}; CSV and Parquet keep them whole",)

    def encode(self, cells: Sequence[str]) -> bytes:
        """One record as it will stand in the file, its number aside."""
        parts = [b'<row r="' + _ROW + b'">']
        for (column, number), cell in zip(self._columns or (), cells, strict=True):
            if not cell or (number is not None and not cell.strip()):
                continue
            value = as_number(cell) if number is not None else None
            if value is not None:
                parts.append(b'<c r="%s%s"><v>%s</v></c>' % (column, _ROW, repr(value).removesuffix(".0").encode()))
            else:
                parts.append(self._text(column, cell, 2 if runs(cell) else 0))
        parts.append(b"</row>")
        return b"".join(parts)

    def _text(self, column: bytes, cell: str, style: int) -> bytes:
        units = len(cell) if cell.isascii() else len(cell.encode("utf-16-le", "replace")) // 2
        if units > MOST_CHARACTERS:
            self._cut += 1
            kept = cell.encode("utf-16-le", "replace")[: 2 * (MOST_CHARACTERS - len(_CUT))]
            cell = kept.decode("utf-16-le", "ignore") + _CUT
        text = _SURROGATE.sub("\ufffd", cell)
        text = _FORBIDDEN.sub(lambda m: f"_x{ord(m[0]):04X}_", text)
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        styled = b' s="%d"' % style if style else b""
        opening = b'<c r="%s%s"%s t="inlineStr"><is><t xml:space="preserve">' % (column, _ROW, styled)
        return opening + text.encode() + b"</t></is></c>"

    def write(self, cells: Sequence[str]) -> None:
        """Append a record; the first one is the header."""
        if self._columns is not None:
            self.write_encoded(self.encode(cells))
            return
        if len(cells) > MOST_COLUMNS:
            raise InputError(f"{self._path}: a sheet holds {MOST_COLUMNS} columns, these are {len(cells)}; write CSV or Parquet")
        self._columns = [(_letters(i), name if name in self._numbers else None) for i, name in enumerate(cells)]
        texts = [self._text(column, name, 1) for (column, _), name in zip(self._columns, cells, strict=True) if name]
        self.write_encoded(b'<row r="' + _ROW + b'">' + b"".join(texts) + b"</row>")

    def write_encoded(self, record: bytes) -> None:
        """Append a record that :meth:`encode` made."""
        self._row += 1
        if self._row > MOST_ROWS:
            raise InputError(f"{self._path}: a sheet holds {MOST_ROWS - 1} rows below its header; write CSV or Parquet")
        self._sheet.write(record.replace(_ROW, b"%d" % self._row))

    def _finish(self) -> None:
        self._sheet.write(b"</sheetData></worksheet>")
        self._sheet.close()
        self._archive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if kind is not None:
            # The archive would write its end when it is forgotten, into a file that is closed by then.
            with suppress(Exception):
                self._sheet.close()
            with suppress(Exception):
                self._archive.close()
        self._target.__exit__(kind, error, trace)


def _letters(column: int) -> bytes:
    name = ""
    while column >= 0:
        name = chr(ord("A") + column % 26) + name
        column = column // 26 - 1
    return name.encode()
