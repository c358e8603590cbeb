"""A string together with the way back to the text it was made from."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

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
        self._steps: list[Step] = []

    def push(self, step: Step | None) -> None:
        """Add the newest step; steps that changed nothing are skipped."""
        if step is not None:
            self._steps.append(step)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span in the original text that a span of the newest text was made from."""
        for step in reversed(self._steps):
            start, end = step.back(start, end=False), step.back(end, end=True)
        return start, max(start, end)
