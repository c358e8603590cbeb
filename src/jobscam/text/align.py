"""A string together with the way back to the text it was made from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from jobscam.text.signs import sign_table

_BLANK = sign_table("\0", {"\1": " \t\r\n"})
_LF, _CR = 10, 13

Edit = tuple[int, int, str]
"""Replace characters ``[start, end)`` of a string by another string."""


class Step:
    """One rewriting of a string, kept as the few places where lengths or characters changed.

    Between two edits the shift is constant, so a position is mapped back by one bisection whatever the text's length.
    """

    __slots__ = ("_new_end", "_new_start", "_old_end", "_old_start")

    def __init__(self) -> None:
        self._new_start: list[int] = []
        self._new_end: list[int] = []
        self._old_start: list[int] = []
        self._old_end: list[int] = []

    def add(self, new_start: int, new_end: int, old_start: int, old_end: int) -> None:
        """Record that ``[new_start, new_end)`` replaced ``[old_start, old_end)``."""
        self._new_start.append(new_start)
        self._new_end.append(new_end)
        self._old_start.append(old_start)
        self._old_end.append(old_end)

    def back(self, position: int, *, end: bool) -> int:
        """Old position of a new one; inside a replacement, its outer border (``end`` chooses which)."""
        i = bisect_right(self._new_start, position - 1 if end else position) - 1
        if i < 0:
            return position
        new_end = self._new_end[i]
        if position < new_end or (end and position == new_end):
            return self._old_end[i] if end else self._old_start[i]
        return self._old_end[i] + position - new_end


class Runs:
    """A rewriting that made each run of blanks and line ends one blank; worked out when it is first asked.

    Parameters
    ----------
    old : str
        The text before, lower case and without blanks other than space, tab, CR and LF.
    """

    __slots__ = ("_old", "_quick", "_size", "_starts")

    def __init__(self, old: str) -> None:
        self._old = old
        self._size = -1
        self._starts: npt.NDArray[np.int64] | None = None

    @property
    def starts(self) -> npt.NDArray[np.int64]:
        """Old position of every new character; of a run, its start."""
        if self._starts is None:
            blank = np.frombuffer(self._old.encode("ascii", "replace").translate(_BLANK), dtype=np.bool_)
            kept = np.ones(len(blank), dtype=np.bool_)
            np.logical_not(blank[1:] & blank[:-1], out=kept[1:])
            self._starts = kept.nonzero()[0]
            self._quick: memoryview[int] = memoryview(self._starts.data)  # gives one number three times as fast as the array
            self._size = len(self._starts)
        return self._starts

    def back(self, position: int, *, end: bool) -> int:
        """Old position of a new one; the end of a run is the start of what follows."""
        if self._size < 0:
            _ = self.starts
        return self._quick[position] if position < self._size else len(self._old)

    def starts_of(self, positions: list[int]) -> list[int]:
        """Old positions of new ones, at once."""
        starts = np.append(self.starts, len(self._old))
        return list(starts[np.minimum(positions, len(starts) - 1)].tolist())

    def lines(self) -> list[int]:
        """New positions of the runs that held a line end."""
        codes = np.frombuffer(self._old.encode("ascii", "replace"), dtype=np.uint8)
        found = ((codes == _LF) | (codes == _CR)).nonzero()[0]
        return list(dict.fromkeys((np.searchsorted(self.starts, found, side="right") - 1).tolist()))


def rewrite(text: str, edits: Iterable[Edit]) -> tuple[str, Step | None]:
    """Apply edits (ordered, not overlapping) and return the new string with the way back.

    Examples
    --------
    >>> new, step = rewrite("g4ji besar", [(1, 2, "a")])
    >>> new, step.back(1, end=False), step.back(2, end=True)
    ('gaji besar', 1, 2)
    """
    parts: list[str] = []
    step: Step | None = None
    old = new = 0
    for start, stop, replacement in edits:
        if step is None:
            step = Step()
        parts.append(text[old:start])
        new += start - old
        parts.append(replacement)
        step.add(new, new + len(replacement), start, stop)
        new += len(replacement)
        old = stop
    if step is None:
        return text, None
    parts.append(text[old:])
    return "".join(parts), step


class Alignment:
    """The way back through every step of a normalisation."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: list[Step | Runs] = []

    def push(self, step: Step | Runs | None) -> None:
        """Add the newest step; steps that changed nothing are skipped."""
        if step is not None:
            self._steps.append(step)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span in the original text that a span of the newest text was made from."""
        for step in reversed(self._steps):
            start, end = step.back(start, end=False), step.back(end, end=True)
        return start, max(start, end)

    def starts(self, positions: list[int]) -> list[int]:
        """Where the characters at positions of the newest text begin in the original."""
        for step in reversed(self._steps):
            if isinstance(step, Runs):
                positions = step.starts_of(positions)
            else:
                positions = [step.back(position, end=False) for position in positions]
        return positions

    def places(self, originals: list[int]) -> list[int] | None:
        """Positions in the newest text of the first characters at or behind positions of the original.

        None where more was done than to make runs of blanks one blank, or where a position lies behind the last character.
        """
        if len(self._steps) != 1 or not isinstance(self._steps[0], Runs):
            return None
        starts = self._steps[0].starts
        found: list[int] = np.searchsorted(starts, originals).tolist()
        return found if found[-1] < len(starts) else None
