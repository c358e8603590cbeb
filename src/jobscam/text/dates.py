"""Dates as tables hold them, brought to one form."""

from __future__ import annotations

import re
from datetime import date

from jobscam.knowledge import Knowledge

_ISO = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_FIGURES = re.compile(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?!\d)")
_DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[ .-]{1,2}([a-z]{3,9})[ .,-]{1,2}(\d{4})(?!\d)")
_MONTH_FIRST = re.compile(r"(?<![a-z])([a-z]{3,9})[ .-]{1,2}(\d{1,2}),? {0,2}(\d{4})(?!\d)")
_LONGEST = 100


class DateReader:
    """Reads dates with the names of months of a :class:`Knowledge`.

    Examples
    --------
    >>> from jobscam import knowledge
    >>> read = DateReader(knowledge.load()).read
    >>> read("2025-07-09 17:01:00"), read("17 Agustus 2025"), read("9/7/2025"), read("kemarin")
    ('2025-07-09', '2025-08-17', '2025-07-09', '')
    """

    def __init__(self, knowledge: Knowledge) -> None:
        self._months = {n: i for i, names in enumerate(knowledge.cues["dates"]["months"], 1) for n in names.split()}

    def read(self, text: str) -> str:
        """Date as ``YYYY-MM-DD``, "" if there is none; the day comes before the month where both orders could be meant."""
        text = text[:_LONGEST].lower()
        if match := _ISO.search(text):
            return _date(int(match[1]), int(match[2]), int(match[3]))
        if match := _FIGURES.search(text):
            day, month = int(match[1]), int(match[2])
            return _date(int(match[3]), month, day) or _date(int(match[3]), day, month)
        if match := _DAY_FIRST.search(text):
            return _date(int(match[3]), self._months.get(match[2], 0), int(match[1]))
        if match := _MONTH_FIRST.search(text):
            return _date(int(match[3]), self._months.get(match[1], 0), int(match[2]))
        return ""


def _date(year: int, month: int, day: int) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""
