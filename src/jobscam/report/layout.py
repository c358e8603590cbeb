"""From fields of a posting to columns of the table, and from code points to what a browser counts."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence

from jobscam.posting import ColumnMap, field_of
from jobscam.values import Span

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_OURS = "jobscam_"


def utf16(text: str) -> Callable[[int], int]:
    r"""Offsets in UTF-16 units, which browsers count, from offsets in code points.

    Examples
    --------
    >>> [utf16("a\U0001f600b")(i) for i in range(4)]
    [0, 1, 3, 4]
    """
    wide = [m.start() for m in _ASTRAL.finditer(text)]
    return (lambda at: at + bisect_left(wide, at)) if wide else (lambda at: at)


def storable(text: str) -> str:
    """A text without lone surrogates, which no file can hold; offsets stay."""
    return _SURROGATE.sub("�", text)


def is_ours(column: str) -> bool:
    """Whether a column was added by an earlier run; a label given by hand is the user's."""
    return column.startswith(_OURS) and column != "jobscam_label"


class Layout:
    """Where the fields of a posting stand in the cells of its row.

    Parameters
    ----------
    mapping : ColumnMap
    """

    def __init__(self, mapping: ColumnMap) -> None:
        self.mapping = mapping
        self.fields = {p: name for name, positions in mapping.fields.items() for p in positions}

    def spans(self, cells: Sequence[str], span: Span) -> list[tuple[int, int, int]]:
        """Column, start and end of a span of a field; a field is the cells of its columns, joined by line breaks."""
        out = []
        at = 0
        for column in self.mapping.fields.get(span.field, ()):
            if column >= len(cells) or not cells[column].strip():
                continue
            size = len(cells[column])
            start, end = max(span.start - at, 0), min(span.end - at, size)
            if start < end:
                out.append((column, start, end))
            at += size + 1
        return out

    def export_names(self, columns: Sequence[int]) -> list[str]:
        """Names under which these columns are read as the same fields again, without any ``--map``."""
        names: list[str] = []
        for column in columns:
            name = self.mapping.header[column]
            field = self.fields.get(column)
            if field_of(name) != field:
                name = field or f"{name} (unread)"
            while name in names and name != self.mapping.header[column]:
                name += "."
            names.append(name)
        return names
