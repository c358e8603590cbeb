"""A posting laid out as one text, so that every indicator reads it once and still points into its fields."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from jobscam.posting import FIELD_GAP, READ_FIELDS, Posting
from jobscam.text import Normaliser, Text
from jobscam.values import Span

_WORDS = bytes(c if 48 <= c <= 57 or 97 <= c <= 122 else 32 for c in range(256))


class Document:
    """A posting's readable fields joined, normalised, with spans back to each field.

    Attributes
    ----------
    posting : Posting
    text : Text
        Text of all fields, original and normalised.
    norm : str
        The normalised text.
    words : list of str
        Words of the normalised text.
    """

    __slots__ = ("_floors", "_lengths", "_names", "_starts", "norm", "posting", "text", "words")

    def __init__(self, posting: Posting, normaliser: Normaliser) -> None:
        self.posting = posting
        self._floors: list[int] | None = None
        self._names: list[str] = []
        self._starts: list[int] = []
        self._lengths: list[int] = []
        parts: list[str] = []
        at = 0
        for name in READ_FIELDS:
            value = getattr(posting, name)
            if value:
                self._names.append(name)
                self._starts.append(at)
                self._lengths.append(len(value))
                parts.append(value)
                at += len(value) + len(FIELD_GAP)
        self.text: Text = normaliser.read(FIELD_GAP.join(parts))
        self.norm = self.text.norm
        self.words = self.norm.encode("ascii", "replace").translate(_WORDS).decode().split()

    def original_span(self, start: int, end: int) -> Span:
        """Span in a field from a span of the joined original text, clipped to the field it starts in."""
        i = max(0, bisect_right(self._starts, start) - 1)
        base = self._starts[i]
        length = self._lengths[i]
        return Span(self._names[i], min(start - base, length), min(end - base, length))

    def span(self, start: int, end: int) -> Span:
        """Span in a field of the original posting from a span of the normalised text."""
        return self.original_span(*self.text.span(start, end))

    def field_at(self, position: int) -> str:
        """Name of the field that a position of the normalised text lies in."""
        return self.span(position, position + 1).field

    def field_range(self, name: str) -> tuple[int, int] | None:
        """Bounds in the *joined original* text of a field, or None where the posting lacks it."""
        if name not in self._names:
            return None
        start = self._starts[self._names.index(name)]
        return start, start + len(getattr(self.posting, name))

    def field_floor(self, position: int) -> int:
        """Where, in the normalised text, the field begins that a position lies in."""
        if len(self._starts) < 2:
            return 0
        if self._floors is None:
            self._floors = self.text.first_after_lines(self._starts)
        if self._floors is None:
            # Fields begin behind a line break, so only line breaks are looked at.
            lines = [0, *(n + 1 for n in self.text.lines)]
            originals = self.text.starts(lines)
            self._floors = [lines[min(bisect_left(originals, start), len(lines) - 1)] for start in self._starts]
        return self._floors[max(0, bisect_right(self._floors, position) - 1)]

    def norm_range(self, name: str) -> tuple[int, int] | None:
        """Bounds in the normalised text of a field, or None where the posting lacks it."""
        if name not in self._names:
            return None
        i = self._names.index(name)
        self.field_floor(0)
        floors = [*(self._floors or [0]), len(self.norm)]
        return floors[i], floors[i + 1]

    def words_shown(self, span: Span) -> str:
        """The words of the ad that a span covers."""
        return str(getattr(self.posting, span.field))[span.start : span.end]
