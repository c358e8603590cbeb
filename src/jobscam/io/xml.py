"""XML of workbooks, read piece by piece: whatever it holds, memory stays small and no entity is followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, BinaryIO
from xml.parsers import expat

_PIECE = 64 * 1024
_LONGEST_TAG = 1024 * 1024


class XmlError(ValueError):
    """XML that is broken, or is more than a workbook needs."""


Start = Callable[[str, dict[str, str]], None]


class Pieces:
    """Feeds a stream to a parser, a piece at each :meth:`next`.

    Parameters
    ----------
    stream : binary stream
    start, end : callable
        Called with the name of an element, without its prefix, and with its attributes.
    text : callable, optional
        Called with text as it comes.
    """

    def __init__(self, stream: BinaryIO, start: Start, end: Callable[[str], None], text: Any = None) -> None:
        self._stream = stream
        self._fed = 0
        self._parser: Any = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
        self._parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        self._parser.CharacterDataHandler = text
        self._parser.StartDoctypeDeclHandler = self._refuse

    def _refuse(self, *_: object) -> None:
        raise XmlError("a document type, which no workbook has")

    def next(self) -> bool:
        """Read a piece; False at the end.

        Raises
        ------
        XmlError, OSError
        """
        piece = self._stream.read(_PIECE)
        try:
            self._parser.Parse(piece, not piece)
        except expat.ExpatError as error:
            raise XmlError(str(error)) from None
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > _LONGEST_TAG:
            raise XmlError("a tag without end")
        return bool(piece)

    def all(self) -> None:
        """Read to the end."""
        while self.next():
            pass
