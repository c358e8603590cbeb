"""From bytes to numbered physical lines: encoding and line ends."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from jobscam.errors import InputError
from jobscam.io.opened import HEAD, Opened

RECORD_LIMIT = 32 * 1024 * 1024
"""Characters of one record; memory is bounded by it."""
_KEPT = 100_000
# Lone surrogates never come out of a decoder other than as the escapes below, so they are free to mark a carriage
# return that belongs to a cell.
_CR = "\udc0d"
_ESCAPED = re.compile("[\udc80-\udcff]")
# Possessive, and begun only where a run begins: each is linear in the length of the text.
_LONE_CR = re.compile(r"(?<!\r)\r++(?!\n|\Z)")
_HEADER_END = re.compile(r'\s*+(?:[^"\r\n]|"[^"]*")++(\r++\n?|\n)')
_ANY_END = re.compile(r"(\r++\n?|\n)")
_WINDOWS = {0xDC00 + byte: bytes([byte]).decode("cp1252", "replace") for byte in range(0x80, 0x100)}


class Line(NamedTuple):
    """A physical line with its end; `cut` if it was longer than a record may be and only its start is kept."""

    number: int
    text: str
    cut: bool = False


def _detect(head: bytes) -> str:
    """Encoding of a text by its first bytes."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Latin letters in UTF-16 have a zero as every other byte. The first two characters, part of a header, must
    # show it, so that zeros inside the cells of a UTF-8 file are never taken for it.
    even, odd = head[0 : len(head) // 2 * 2 : 2], head[1::2]
    if len(odd) > 1:
        for low, high, name in ((even, odd, "utf-16-le"), (odd, even, "utf-16-be")):
            zeros = high.count(0) > 0.3 * len(high) and low.count(0) < 0.05 * len(low)
            if zeros and high[:2] == b"\0\0" and b"\0" not in low[:2]:
                return name
    return "utf-8"


def decode(data: bytes) -> str:
    """A whole text, with the same leniency as a table."""
    encoding = _detect(data[:HEAD])
    if encoding.startswith("utf-16"):
        return data.decode(encoding, "replace")
    return data.decode(encoding, "surrogateescape").translate(_WINDOWS)


class Lines:
    """The physical lines of a text file, numbered, with the possibility to give some back.

    Invalid UTF-8 bytes are read as Windows-1252, byte by byte; bytes that mean nothing there become U+FFFD. A file
    whose header ends in LF or CRLF has lines that end in LF, and a lone CR in it belongs to a cell; any other file is
    split at CR as well.

    Parameters
    ----------
    path : str, Path or Opened
        A file, packed or not, or ``-`` for standard input.

    Attributes
    ----------
    encoding : str
    replaced : int
        Bytes that were not valid in the encoding.
    """

    def __init__(self, path: str | Path | Opened) -> None:
        self._opened = path if isinstance(path, Opened) else Opened(path)
        self.name = self._opened.name
        self.size = self._opened.size
        self.replaced = 0
        self.number = 0
        self._back: list[Line] = []
        head = self._opened.head
        self.encoding = _detect(head)
        text = head.decode(self.encoding, "replace")
        ended = _HEADER_END.match(text) or _ANY_END.search(text)
        self._lf = ended is None or ended[1].endswith("\n")
        self._ends = ("\n",) if self._lf else ("\n", "\r")
        self._text = io.TextIOWrapper(
            self._opened.stream,
            encoding=self.encoding,
            errors="surrogateescape" if self.encoding.startswith("utf-8") else "replace",
            newline="\n" if self._lf else "",
        )

    @property
    def position(self) -> int:
        """Bytes of the file read so far."""
        return self._opened.position

    def next(self) -> Line | None:
        """The next line, or None at the end."""
        if self._back:
            return self._back.pop()
        try:
            text = self._text.readline(RECORD_LIMIT + 1)
            if not text:
                return None
            self.number += 1
            cut = len(text) > RECORD_LIMIT and not text.endswith(self._ends)
            if cut:
                while (part := self._text.readline(RECORD_LIMIT)) and not part.endswith(self._ends):
                    pass
                text = text[:_KEPT]
        except OSError as error:
            raise self._damaged(error) from None
        if not text.isascii():
            text = self._mend(text)
        if self._lf and "\r" in text:
            text = _LONE_CR.sub(lambda run: _CR * len(run[0]), text)
        return Line(self.number, text, cut)

    def _mend(self, text: str) -> str:
        if self.encoding.startswith("utf-16"):
            self.replaced += text.count("\ufffd")
            return text
        found = len(_ESCAPED.findall(text))
        if found:
            self.replaced += found
            text = text.translate(_WINDOWS)
        return text

    def give_back(self, lines: Iterable[Line]) -> None:
        """Have these lines come next again."""
        self._back.extend(reversed(list(lines)))

    def _damaged(self, error: BaseException) -> InputError:
        return InputError(f"{self.name}, after line {self.number}: the file is damaged or cut off ({error}); get a complete copy")

    @property
    def notes(self) -> list[str]:
        """What was found about the encoding; complete once all lines were read."""
        said = []
        if self.encoding != "utf-8":
            said.append(f"encoding: {self.encoding.upper()}")
        if self.replaced:
            how = "could not be decoded" if self.encoding.startswith("utf-16") else "not UTF-8, read as Windows-1252"
            said.append(f"characters {how}: {self.replaced}")
        return said

    def close(self) -> None:
        """Close the file; standard input stays open."""
        self._opened.close()


def restore(cells: list[str]) -> list[str]:
    """Cells with the carriage returns that were set aside for the parser."""
    return [cell.replace(_CR, "\r") for cell in cells]
