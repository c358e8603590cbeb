"""The parts of an Excel workbook around its rows: which sheets there are, shared texts, and what number formats mean."""

from __future__ import annotations

import posixpath
import re
import tempfile
import zipfile
from array import array
from datetime import datetime, timedelta
from typing import IO, Any, BinaryIO, NamedTuple

from jobscam.io.cells import number_text
from jobscam.io.packed import Unpacked
from jobscam.io.xml import Pieces, XmlError

_SMALL = 64 * 1024 * 1024
_MOST_TEXTS, _MOST_BYTES = 20_000_000, 4 * 1024**3
_IN_MEMORY = 16 * 1024 * 1024
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)
_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_LAST_DAY = 2_958_466


class Sheet(NamedTuple):
    """A sheet: its name, the part that holds it, and whether it is shown."""

    name: str
    part: str
    visible: bool


def unescaped(text: str) -> str:
    r"""Text with the characters that XML cannot hold.

    Examples
    --------
    >>> unescaped("a_x000D_b_x005F_x000D_")
    'a\rb_x000D_'
    """
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class Workbook:
    """An open workbook.

    Parameters
    ----------
    file : binary file

    Attributes
    ----------
    sheets : list of Sheet
    styles : list of str
        What the number format of each cell style means: ``date``, zeros to pad to, or nothing.

    Raises
    ------
    XmlError, OSError, KeyError, zipfile.BadZipFile
        If it is none, or damaged.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(file)
        links = self._links("_rels/.rels")
        main = next((part for kind, part in links.values() if kind == "officeDocument"), "xl/workbook.xml")
        folder, name = posixpath.split(main)
        parts = self._links(f"{folder}/_rels/{name}.rels")
        self.from_1904 = False
        self.sheets: list[Sheet] = []

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag == "workbookPr":
                self.from_1904 = attributes.get("date1904") in ("1", "true")
            elif tag == "sheet":
                link = next((v for k, v in attributes.items() if k.endswith(":id")), "")
                kind, part = parts.get(link, ("", ""))
                if kind == "worksheet":
                    visible = attributes.get("state", "visible") == "visible"
                    self.sheets.append(Sheet(attributes.get("name", ""), part, visible))

        self._small(main, start)
        by_kind = dict(parts.values())
        self.styles = self._styles(by_kind.get("styles", ""))
        self._texts = by_kind.get("sharedStrings", "")

    def open(self, part: str) -> BinaryIO:
        """The bytes of a part."""
        return Unpacked(self._zip.open(part))  # type: ignore[return-value]

    def texts(self) -> Texts:
        """The shared texts."""
        found = Texts()
        try:
            if self._texts in self._zip.namelist():
                Pieces(self.open(self._texts), found.start, found.end, found.text).all()
        except BaseException:
            found.close()
            raise
        return found

    def _small(self, part: str, start: Any) -> None:
        if part not in self._zip.namelist():
            return
        if self._zip.getinfo(part).file_size > _SMALL:
            raise XmlError(f"{part} is larger than any workbook needs")
        Pieces(self.open(part), start, lambda tag: None).all()

    def _links(self, part: str) -> dict[str, tuple[str, str]]:
        """Kind and part that each link of a part leads to."""
        base = posixpath.dirname(posixpath.dirname(part))
        found: dict[str, tuple[str, str]] = {}

        def start(tag: str, attributes: dict[str, str]) -> None:
            if tag == "Relationship":
                target = attributes.get("Target", "")
                path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(base, target))
                found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], path)

        self._small(part, start)
        return found

    def _styles(self, part: str) -> list[str]:
        codes: dict[int, str] = {}
        used: list[int] = []
        inside = False

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal inside
            if tag == "numFmt":
                codes[int(attributes.get("numFmtId", 0))] = attributes.get("formatCode", "")
            elif tag in ("cellXfs", "cellStyleXfs", "dxfs"):
                inside = tag == "cellXfs"
            elif tag == "xf" and inside:
                used.append(int(attributes.get("numFmtId", 0)))

        self._small(part, start)
        return [_meaning(number, codes.get(number, "")) for number in used]


def _meaning(number: int, code: str) -> str:
    if not code:
        return "date" if number in _DATES else ""
    shown = _LITERAL.sub("", code.split(";")[0])
    if re.fullmatch("0{2,}", shown):
        return shown
    return "date" if re.search("[ymdhs]", shown, re.IGNORECASE) and "general" not in shown.lower() else ""


def shown_number(written: str, meaning: str, from_1904: bool) -> str:
    """A number as its cell shows it: a date, a number padded with zeros, or just itself.

    Examples
    --------
    >>> shown_number("8.12E+11", "", False), shown_number("812", "000000", False), shown_number("45292", "date", False)
    ('812000000000', '000812', '2024-01-01')
    """
    value = float(written)
    if meaning == "date" and 0 <= value < _LAST_DAY:
        return _moment(value, from_1904)
    text = written if written.isdecimal() else number_text(value)
    return text.zfill(len(meaning)) if meaning.startswith("0") and text.isdecimal() else text


def _moment(days: float, from_1904: bool) -> str:
    # The calendar of Excel has a 29 February 1900; before it, days count from one later.
    origin = datetime(1904, 1, 1) if from_1904 else datetime(1899, 12, 30 if days >= 60 else 31)
    try:
        moment = origin + timedelta(seconds=round(days * 86400))
    except OverflowError:
        return number_text(days)
    if days < 1:
        return f"{moment:%H:%M:%S}"
    return f"{moment:%Y-%m-%d}" if days.is_integer() else f"{moment:%Y-%m-%d %H:%M:%S}"


class Texts:
    """The shared texts of a workbook, on disk if they are many."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115
        self._ends = array("Q", [0])
        self._size = 0
        self._inside = self._aside = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """See :class:`~jobscam.io.xml.Pieces`."""
        if tag == "rPh":  # how the characters are pronounced
            self._aside = True
        elif tag == "t":
            self._inside = not self._aside

    def text(self, data: str) -> None:
        """See :class:`~jobscam.io.xml.Pieces`."""
        if self._inside:
            self._add(data.encode("utf-8", "replace"))

    def end(self, tag: str) -> None:
        """See :class:`~jobscam.io.xml.Pieces`."""
        if tag == "t":
            self._inside = False
        elif tag == "rPh":
            self._aside = False
        elif tag == "si":
            self._ends.append(self._file.tell())
            if len(self._ends) > _MOST_TEXTS:
                raise XmlError(f"more than {_MOST_TEXTS} texts; save the sheet as CSV")

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _MOST_BYTES:
            raise XmlError(f"more than {_MOST_BYTES >> 20} MiB of text; save the sheet as CSV")
        self._file.write(data)

    def get(self, number: int, limit: int) -> str:
        """A text, no more of it than `limit` bytes."""
        if not 0 <= number < len(self._ends) - 1:
            raise XmlError(f"shared text {number} is missing")
        first, last = self._ends[number], self._ends[number + 1]
        self._file.seek(first)
        return unescaped(self._file.read(min(last - first, limit)).decode("utf-8", "replace"))

    def close(self) -> None:
        """Give the disk space back."""
        self._file.close()
